-- PostfixAdmin, in MySQL, MariaDB, PostgreSQL or SQLite. With $CONF['database_prefix'], each table has it
-- before its name.
SELECT domain, NULL AS alias_of FROM domain
WHERE active AND NOT backupmx AND domain <> 'ALL'
UNION ALL
SELECT alias.alias_domain, alias.target_domain
FROM alias_domain AS alias JOIN domain AS target ON target.domain = alias.target_domain
WHERE alias.active AND target.active AND NOT target.backupmx;
