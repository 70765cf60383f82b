INSERT INTO domains (domain) VALUES ('example.org'), ('example.net');
INSERT INTO accounts (username, domain, password, enabled) VALUES ('ann', 'example.org', '', '1');
