-- The database vmail of Thomas Leister's guide, as vmail-rs makes it: up.sql of awidegreen/vmail-rs (commit
-- d67f3574, 2021-04-23).
CREATE TABLE `domains` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `domain` varchar(255) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY (`domain`)
);
CREATE TABLE `accounts` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `username` varchar(64) NOT NULL,
  `domain` varchar(255) NOT NULL,
  `password` varchar(255) NOT NULL,
  `quota` int unsigned DEFAULT '0',
  `enabled` boolean DEFAULT '0',
  `sendonly` boolean DEFAULT '0',
  PRIMARY KEY (id),
  UNIQUE KEY (`username`, `domain`),
  FOREIGN KEY (`domain`) REFERENCES `domains` (`domain`)
);
