"""The newest pictures of a camera on the disk, in a ring of files, and clips out of them."""
