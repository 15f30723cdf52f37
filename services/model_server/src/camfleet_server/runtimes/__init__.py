"""What loads model files onto devices, one module or folder a runtime; table.py has all."""
