"""What has to be installed (Requirements), how (Installer), and where it is (CorePackage)."""
