INSERT INTO virtual_domains (name) VALUES ('example.org'), ('Example.NET'), ('localhost');
