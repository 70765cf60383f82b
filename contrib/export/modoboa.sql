-- Modoboa, in PostgreSQL, MySQL, MariaDB or SQLite. Relayed domains have the type 'relaydomain'.
SELECT name AS domain, NULL AS alias_of FROM admin_domain
WHERE enabled AND type = 'domain'
UNION ALL
SELECT alias.name, target.name
FROM admin_domainalias AS alias JOIN admin_domain AS target ON target.id = alias.target_id
WHERE alias.enabled AND target.enabled AND target.type = 'domain';
