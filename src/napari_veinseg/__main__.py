"""`python -m napari_veinseg` is the `veinseg` command."""

from napari_veinseg.cli import main

if __name__ == "__main__":
    main()
