"""The API of the service as Python: generated code, one package a version."""
