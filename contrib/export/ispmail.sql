-- The database of the ISPmail guide (workaround.org) and of others like it, in MySQL or MariaDB.
SELECT name AS domain FROM virtual_domains;
