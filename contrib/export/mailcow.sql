-- mailcow, in MariaDB. A domain with backupmx is relayed.
SELECT domain, NULL AS alias_of FROM domain
WHERE active = 1 AND backupmx = 0
UNION ALL
SELECT alias.alias_domain, alias.target_domain
FROM alias_domain AS alias JOIN domain AS target ON target.domain = alias.target_domain
WHERE alias.active = 1 AND target.active = 1 AND target.backupmx = 0;
