-- ISPConfig 3, in MySQL or MariaDB, database dbispconfig. An alias domain is an address without a name,
-- @example.net, that is forwarded to @example.org. Versions with the column local_delivery: add
-- AND local_delivery = 'y' to the first condition.
SELECT domain, NULL AS alias_of FROM mail_domain
WHERE active = 'y'
UNION ALL
SELECT SUBSTRING(alias.source, 2), SUBSTRING(alias.destination, 2)
FROM mail_forwarding AS alias JOIN mail_domain AS target ON CONCAT('@', target.domain) = alias.destination
WHERE alias.type = 'aliasdomain' AND alias.active = 'y' AND target.active = 'y';
