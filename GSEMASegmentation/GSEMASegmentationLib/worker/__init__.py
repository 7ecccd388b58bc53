"""Work in other processes: the worker, ``gsema`` commands, and what is handed to them.

``PythonProcess`` is any process of ours. ``CoreCommand`` runs one command and ends;
``WorkerClient`` keeps the worker and sends it requests. ``SegmentationJob``, ``ScanTransfer`` and
``SampleScan`` are the jobs that use them.
"""
