-- PostfixAdmin: the tables that public/upgrade.php of postfixadmin/postfixadmin makes in MySQL
-- (commit 10065b10, 2026-08-07), in its last form of the columns that are named here.
CREATE TABLE domain (
  `domain` varchar(255) COLLATE latin1_general_ci NOT NULL,
  `description` varchar(255) NOT NULL default '',
  `aliases` int(10) NOT NULL default '0',
  `mailboxes` int(10) NOT NULL default '0',
  `maxquota` bigint(20) NOT NULL default '0',
  `quota` bigint(20) NOT NULL default '0',
  `transport` varchar(255) COLLATE latin1_general_ci NOT NULL,
  `backupmx` tinyint(1) NOT NULL default '0',
  `created` datetime NOT NULL default '2000-01-01 00:00:00',
  `modified` datetime NOT NULL default '2000-01-01 00:00:00',
  `active` tinyint(1) NOT NULL default '1',
  PRIMARY KEY (`domain`)
) CHARACTER SET latin1 COMMENT='Postfix Admin - Virtual Domains';
CREATE TABLE alias_domain (
  `alias_domain` varchar(255) NOT NULL default '',
  `target_domain` varchar(255) NOT NULL default '',
  `created` datetime NOT NULL default '2000-01-01 00:00:00',
  `modified` datetime NOT NULL default '2000-01-01 00:00:00',
  `active` tinyint(1) NOT NULL default '1',
  PRIMARY KEY (`alias_domain`),
  KEY `active` (`active`),
  KEY `target_domain` (`target_domain`)
) CHARACTER SET latin1 COLLATE latin1_general_ci COMMENT='Postfix Admin - Domain Aliases';
