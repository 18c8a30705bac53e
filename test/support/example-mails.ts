/** The DNS in which the mails of examples/mails were sent. */

export const EXAMPLE_MAIL_ZONE = `example.org. SOA ns1.example.net. hostmaster.example.org. 1 7200 900 1209600 300
example.org. NS ns1.example.net.
example.org. MX 10 mail.example.org.
example.org. TXT "v=spf1 mx -all"
_dmarc.example.org. TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.org"
mail.example.org. A 192.0.2.25
25.2.0.192.in-addr.arpa. PTR mail.example.org.
lists.example.net. TXT "v=spf1 a -all"
lists.example.net. A 198.51.100.7
7.100.51.198.in-addr.arpa. PTR lists.example.net.
ns1.example.net. A 198.51.100.53
s1._domainkey.example.org. TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArBVqJKG3zWLYFwmcHu53QihydkSMzOajh4URt5Wgcxxny1ypYDANRNtS64RUJa8jtmEy/fHeEmEZigX+PqKlhnQ4B9A7foaLeD83jyPGuLc34C/Azp7aAYmn6am+AphqineShWis9L" "+IsYpC1HJ/cKNk2J/h0u+ZcjlJx2JombpIIKXYfnwZMTfExmWYExhRBtWcNh2gMZTA6JA/ZX6T6OMAkkjLI8P4Y8BSMhP7K9YE6lZPq9phx33yTEdsjeeROUfMJzAr3vJllZKAVFHhBdXK+Mrh70lt7l+fRlMIB1WCucAn6q0s9dOh+f4eG1GiuzEBJCUjsZmoPtMNFk" "nKqwIDAQAB"
s2._domainkey.example.org. TXT "v=DKIM1; k=ed25519; p=SRB2pmNW3f/QCtB/Qi4/0u6+ay0KrgdgJXlWZyPLrBE="
arc._domainkey.lists.example.net. TXT "v=DKIM1; k=ed25519; p=AGxc4K6c5/UHjwAgZ9xPdH/65WUe1FWecnOEKPP2GK4="`;
