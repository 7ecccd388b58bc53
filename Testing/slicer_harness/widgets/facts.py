"""What Slicer's own widgets show to Python: properties, signals, and functions (slots, invokables).

Typed from the widgets' C++ headers (Slicer 5.13, CTK). A stand-in may offer less, never more, and
a module may use nothing that does not stand here; tests hold both against this table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WidgetFacts:
    """One C++ class; what its base class (a plain Qt class) adds is known from PySide.

    Attributes:
        base: the nearest plain Qt class.
        properties: names usable as attributes.
        signals: full signatures, as ``connect`` takes them.
        functions: public slots and Q_INVOKABLE functions.
    """

    base: str
    properties: frozenset[str]
    signals: frozenset[str]
    functions: frozenset[str]

    @property
    def signal_names(self) -> frozenset[str]:
        return frozenset(signature.split("(")[0] for signature in self.signals)

    @property
    def names(self) -> frozenset[str]:
        return self.properties | self.signal_names | self.functions


def _facts(base: str, properties: str = "", signals: str = "", functions: str = "") -> WidgetFacts:
    return WidgetFacts(
        base,
        frozenset(properties.split()),
        frozenset(signals.split()),
        frozenset(functions.split()),
    )


WIDGETS: dict[str, WidgetFacts] = {
    "qMRMLWidget": _facts(
        "QWidget",
        signals="mrmlSceneChanged(vtkMRMLScene*)",
        functions="mrmlScene setMRMLScene pixmapFromIcon preInitializeApplication "
        "postInitializeApplication",
    ),
    "qMRMLNodeComboBox": _facts(
        "QWidget",
        properties="addEnabled baseName currentNodeID currentNodeId editEnabled "
        "hideChildNodeTypes interactionNodeSingletonTag nodeTypes noneDisplay noneEnabled "
        "removeEnabled renameEnabled selectNodeUponCreation showChildNodeTypes showHidden "
        "sizeAdjustPolicy",
        signals="currentNodeChanged(vtkMRMLNode*) currentNodeChanged(bool) "
        "currentNodeIDChanged(QString) currentNodeRenamed(QString) "
        "nodeAboutToBeEdited(vtkMRMLNode*) nodeAboutToBeRemoved(vtkMRMLNode*) "
        "nodeActivated(vtkMRMLNode*) nodeAdded(vtkMRMLNode*) nodeAddedByUser(vtkMRMLNode*) "
        "nodeAddedByUserAction(vtkMRMLNode*)",
        functions="addAttribute addMenuAction addNode currentNode currentNodeId editCurrentNode "
        "mrmlScene nodeCount nodeFromIndex nodeTypeLabel removeAttribute removeCurrentNode "
        "renameCurrentNode setCurrentNode setCurrentNodeID setCurrentNodeIndex setMRMLScene "
        "setNodeTypeLabel sortFilterProxyModel",
    ),
    "qMRMLSegmentationShow3DButton": _facts(
        "QPushButton",
        properties="locked",
        functions="segmentationNode setLocked setSegmentationNode",
    ),
    "qMRMLSegmentsTableView": _facts(
        "QWidget",
        properties="colorColumnVisible filterBarVisible headerVisible "
        "jumpToSelectedSegmentEnabled layerColumnVisible opacityColumnVisible readOnly "
        "segmentCount selectionMode statusColumnVisible terminologySelectorAutoDisable "
        "terminologySelectorOptionVisible textFilter useTerminologySelector "
        "useTerminologySelectorSettingsKey visibilityColumnVisible",
        signals="mrmlSceneChanged(vtkMRMLScene*) segmentAboutToBeModified(QString) "
        "selectionChanged(QItemSelection,QItemSelection)",
        functions="clearSelectedSegments clearSelection displayedSegmentIDs hideSegments "
        "jumpSlices model mrmlScene rowForSegmentID segmentIDForRow segmentationNode "
        "selectedSegmentIDs setColorColumnVisible setFilterBarVisible setHeaderVisible "
        "setHideSegments setJumpToSelectedSegmentEnabled setLayerColumnVisible setMRMLScene "
        "setOpacityColumnVisible setReadOnly setSegmentationNode setSelectedSegmentIDs "
        "setSelectionMode setStatusColumnVisible setTextFilter setVisibilityColumnVisible "
        "showOnlySelectedSegments sortFilterProxyModel tableWidget "
        "toggleSelectedSegmentsVisibility",
    ),
    "qMRMLSegmentEditorWidget": _facts(
        "QWidget",
        properties="addRemoveSegmentButtonsVisible autoShowSourceVolumeNode "
        "defaultTerminologyEntry effectColumnCount jumpToSelectedSegmentEnabled "
        "maskingSectionVisible maximumNumberOfUndoStates readOnly segmentationNodeSelectorVisible "
        "show3DButtonVisible sourceVolumeNodeSelectorVisible specifyGeometryButtonVisible "
        "switchToSegmentationsButtonVisible undoEnabled unorderedEffectsVisible",
        signals="currentSegmentIDChanged(QString) mrmlSceneChanged(vtkMRMLScene*) "
        "segmentationNodeChanged(vtkMRMLSegmentationNode*) "
        "sourceVolumeNodeChanged(vtkMRMLVolumeNode*)",
        functions="activeEffect availableEffectNames currentSegmentID effectByName "
        "installKeyboardShortcuts mrmlScene mrmlSegmentEditorNode redo removeViewObservations "
        "saveStateForUndo segmentationNode segmentationNodeID setActiveEffect "
        "setActiveEffectByName setCurrentSegmentID setMRMLScene setMRMLSegmentEditorNode "
        "setSegmentationNode setSegmentationNodeID setSourceVolumeNode setSourceVolumeNodeID "
        "setupViewObservations sourceVolumeNode sourceVolumeNodeID undo "
        "uninstallKeyboardShortcuts updateEffectList updateWidgetFromMRML",
    ),
    "qSlicerMarkupsPlaceWidget": _facts(
        "QWidget",
        properties="buttonsVisible currentNodeActive defaultNodeColor "
        "deleteAllControlPointsOptionVisible deleteAllMarkupsOptionVisible nodeColor "
        "placeModeEnabled placeModePersistency placeMultipleMarkups "
        "unsetAllControlPointsOptionVisible unsetLastControlPointOptionVisible",
        signals="activeMarkupsFiducialPlaceModeChanged(bool) activeMarkupsPlaceModeChanged(bool) "
        "mrmlSceneChanged(vtkMRMLScene*)",
        functions="currentMarkupsNode currentNode deleteAllPoints deleteButton deleteLastPoint "
        "interactionNode modifyLastPoint placeButton selectionNode setButtonsVisible "
        "setCurrentNode setCurrentNodeActive setDefaultNodeColor setMRMLScene setNodeColor "
        "setPlaceModeEnabled setPlaceModePersistency setPlaceMultipleMarkups unsetAllPoints "
        "unsetLastDefinedPoint",
    ),
    "qSlicerSimpleMarkupsWidget": _facts(
        "QWidget",
        properties="defaultNodeColor enterPlaceModeOnNodeChange jumpToSliceEnabled nodeColor "
        "nodeSelectorVisible optionsVisible positionStatusColumnVisible viewGroup",
        signals="activeMarkupsPlaceModeChanged(bool) "
        "currentMarkupsControlPointSelectionChanged(int) markupsNodeChanged() "
        "mrmlSceneChanged(vtkMRMLScene*) updateFinished()",
        functions="activate currentNode highlightNthControlPoint interactionNode "
        "markupsPlaceWidget markupsSelectorComboBox placeActive setCurrentNode "
        "setDefaultNodeColor setEnterPlaceModeOnNodeChange setInteractionNode "
        "setJumpToSliceEnabled setMRMLScene setNodeBaseName setNodeColor "
        "setNodeSelectorVisible setOptionsVisible setPositionStatusColumnVisible tableWidget",
    ),
    "ctkCollapsibleButton": _facts(
        "QAbstractButton",
        properties="buttonTextAlignment collapsed collapsedHeight contentsFrameShadow "
        "contentsFrameShape contentsLineWidth contentsMidLineWidth flat indicatorAlignment",
        signals="contentsCollapsed(bool)",
    ),
    "ctkComboBox": _facts(
        "QComboBox",
        properties="currentUserDataAsString defaultIcon defaultText elideMode forceDefault "
        "scrollWheelEffect",
        signals="returnRelease()",
        functions="setCurrentUserDataAsString",
    ),
    "ctkPathLineEdit": _facts(
        "QWidget",
        properties="currentPath filters label minimumContentsLength nameFilters options "
        "settingKey showBrowseButton showHistoryButton sizeAdjustPolicy",
        signals="currentPathChanged(QString) validInputChanged(bool)",
        functions="addCurrentPathToHistory browse comboBox retrieveHistory setCurrentPath",
    ),
    "ctkSliderWidget": _facts(
        "QWidget",
        properties="decimals invertedAppearance invertedControls maximum minimum pageStep "
        "popupSlider prefix singleStep spinBoxAlignment spinBoxVisible suffix "
        "synchronizeSiblings tickInterval tickPosition tracking value",
        signals="decimalsChanged(int) valueChanged(double) valueIsChanging(double)",
        functions="reset setDecimals setSpinBoxVisible setValue",
    ),
}
