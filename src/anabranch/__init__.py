"""anabranch."""
