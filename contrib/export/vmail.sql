-- The database vmail of Thomas Leister's guide and of vmail-rs, in MySQL or MariaDB.
SELECT domain FROM domains;
