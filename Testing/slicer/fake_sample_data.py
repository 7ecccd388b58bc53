"""What Slicer's Sample Data module does with an entry, without its panel and its own entries.

Checked against Modules/Scripted/SampleData/SampleData.py (Slicer main at 5.13, August 2026): lists
of one length; a button calls ``customDownloader(source)`` and is not interested in what it returns;
a script downloads ``uris`` and looks at nothing else, so that an entry without them ends in
IndexError.
"""

from __future__ import annotations

import logging
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import slicer
import vtk

SOURCES: dict[str, list[Any]] = {}
RULES: dict[str, Any] = {}


class SampleDataLogic:
    @staticmethod
    def registerUrlRewriteRule(name, rewriteFunction):
        RULES[name] = rewriteFunction

    @staticmethod
    def registerCustomSampleDataSource(
        category="Custom", sampleName=None, uris=None, fileNames=None, nodeNames=None,
        customDownloader=None, thumbnailFileName=None, loadFileTypes=None, loadFiles=None,
        loadFileProperties=None, checksums=None, loadFileType=None,
    ):  # fmt: skip
        # None has no length there, and a string would be one file of that name.
        assert all(type(value) is list for value in (uris, fileNames, nodeNames, loadFileTypes))
        assert len(uris) == len(fileNames) == len(nodeNames) == len(loadFileTypes)
        source = SimpleNamespace(
            sampleName=sampleName, uris=uris, fileNames=fileNames, nodeNames=nodeNames,
            loadFileTypes=loadFileTypes, customDownloader=customDownloader,
        )  # fmt: skip
        SOURCES.setdefault(category, []).append(source)

    def downloadSample(self, sampleName):
        return self.downloadSamples(sampleName)[0]

    def downloadSamples(self, sampleName):
        found = [one for sources in SOURCES.values() for one in sources]
        source = next((one for one in found if one.sampleName == sampleName), None)
        return self.downloadFromSource(source) if source else []

    def downloadFromSource(self, source, maximumAttemptsCount=3):
        nodes = []
        entries = (source.uris, source.fileNames, source.nodeNames, source.loadFileTypes)
        for uri, fileName, nodeName, fileType in zip(*entries, strict=True):
            for _attempt in range(maximumAttemptsCount):
                try:
                    path = self.downloadFileIntoCache(uri, fileName)
                except ValueError:
                    logging.error("Download failed")
                    continue
                nodes.append(self.loadNode(path, nodeName, fileType))
                break
        return nodes

    def downloadFileIntoCache(self, uri, name):
        folder = Path(slicer.mrmlScene.GetCacheManager().GetRemoteCacheDirectory())
        folder.mkdir(parents=True, exist_ok=True)
        for rule in RULES.values():
            uri = rule(uri)
        path = folder / name
        if not path.exists() or path.stat().st_size == 0:
            try:
                urllib.request.urlretrieve(uri, path)
            except OSError as error:
                raise ValueError(f"Failed to download {uri}") from error
        return str(path)

    def loadNode(self, path, name, fileType):
        nodes = vtk.vtkCollection()
        properties = {"fileName": path, "name": name}
        assert slicer.app.coreIOManager().loadNodes(fileType, properties, nodes)
        node = nodes.GetItemAsObject(0)
        slicer.mrmlScene.RemoveNode(node.GetStorageNode())
        node.SetAndObserveStorageNodeID(None)
        return node
