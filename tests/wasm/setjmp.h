/* cmocka asks for it; the header in its place does not use it. */
