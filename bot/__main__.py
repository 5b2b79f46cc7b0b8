"""`python -m bot` is `coldmigrate`."""

from bot.cli.main import main

if __name__ == "__main__":
    main()
