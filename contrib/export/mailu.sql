-- Mailu, in SQLite, PostgreSQL, MySQL or MariaDB. Its relayed domains are in another table. Alternatives
-- are its alias domains.
SELECT name AS domain, NULL AS alias_of FROM domain
UNION ALL
SELECT name, domain_name FROM alternative;
