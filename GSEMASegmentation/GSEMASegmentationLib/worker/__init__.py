"""Work in other processes: the worker, ``gsema`` commands, and what is handed to them.

``PythonProcess`` runs any Python program, ``CoreCommand`` one command that ends;
``WorkerClient`` keeps the worker and sends it requests. ``SegmentationJob``, ``ScanTransfer`` and
``SampleScan`` are the jobs that use them.
"""
