"""Makes everything in test_data again, in order; `make data` runs it."""

import make_expected
import make_genome
import make_goldens
import make_variants


def main():
    print("genome, variants", flush=True)
    make_genome.main()
    make_variants.main()
    if (make_goldens.SHARED_DIR / "golden").is_dir():
        print(f"goldens and model, from {make_goldens.SHARED_DIR}", flush=True)
        make_goldens.main()
    else:
        print(f"goldens and model left as they are: no {make_goldens.SHARED_DIR / 'golden'}")
    print("expected scores (minutes)", flush=True)
    make_expected.main()


if __name__ == "__main__":
    main()
