-- Mail-in-a-Box: the tables that setup/mail-users.sh of mail-in-a-box/mailinabox makes (commit b162b96d,
-- 2026-04-20).
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE, password TEXT NOT NULL,
  extra, privileges TEXT NOT NULL DEFAULT '', quota TEXT NOT NULL DEFAULT '0');
CREATE TABLE aliases (id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL UNIQUE,
  destination TEXT NOT NULL, permitted_senders TEXT);
CREATE TABLE auto_aliases (id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL UNIQUE,
  destination TEXT NOT NULL, permitted_senders TEXT);
