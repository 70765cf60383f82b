//! mailsetup tells every mail client how to set up an account.
