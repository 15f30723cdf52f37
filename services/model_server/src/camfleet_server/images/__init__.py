"""Pictures in place of tensors: decoded, fitted and normalised as the manifest says."""
