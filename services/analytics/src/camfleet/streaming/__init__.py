"""`camfleet.Streamer`: one script's pictures and text on the page at port 5000."""
