"""Report pages of a case: one page as PDF, the same as HTML, and its findings as tables."""
