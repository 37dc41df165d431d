"""The ports made real: git, processes, files, journals, locks. No decisions are made here."""
