package iosmask

// moreSecretCommands are further ones: of NX-OS and ASA, commands in commands, passwords of several
// words of which one is a keyword.
const moreSecretCommands = `
key-octet-string 7 {hunter2} cryptographic-algorithm AES_256_CMAC
key-octet-string {hunter2} cryptographic-algorithm AES_128_CMAC
aaa-server TAC (inside) host 1.2.3.4 {hunter2} timeout 10
aaa-server TAC (inside) host 1.2.3.4 {hunter2}
aaa-server TAC (inside) host 1.2.3.4 key {hunter2}
aaa-server TAC host 1.2.3.4 {hunter2}
ldap-login-password {hunter2}
ldap-login-password 8 {hunter2}
snmp-server host inside 1.2.3.4 community {hunter2} version 2c
snmp-server host inside 1.2.3.4 community {hunter2}
snmp-server host inside 1.2.3.4 trap community 8 {hunter2} version 2c
snmp-server host inside 1.2.3.4 poll community {hunter2}
snmp-server user u network-admin auth md5 {hunter2} priv {hunter3} localizedkey
snmp-server user u auth md5 {hunter2} priv {hunter3}
snmp-server user u auth md5 {hunter2}
snmp-server user u auth sha {hunter2} priv aes-128 {hunter3} engineID 0
snmp-server user u g auth sha {hunter2} priv {hunter3}
isakmp key {hunter2} address 1.2.3.4 netmask 255.255.255.255
failover key {hunter2}
failover key {hex hunter2}
crypto pki import X pem terminal {hunter2}
crypto ca export X pkcs12 {hunter2}
crypto ca import X pkcs12 {hunter2}
ipv6 nhrp authentication {hunter2}
nhrp authentication {hunter2}
mpls ldp neighbor 1.2.3.4 pass 7 {hunter2}
sntp authentication-key 1 md5 {hunter2}
authentication text {hunter2}
security static-wep-key encryption 104 ascii 0 {hunter2} 1
ip wccp 61 pass {hunter2}
l2tp tunnel pass {hunter2}
digest sec 0 {hunter2}
cts sap pmk {hunter2} mode-list gcm-encrypt
sap pmk {hunter2} mode-list gmac
sap pmk {hunter2}
etr map-server 1.2.3.4 key {hunter2}
ipv4 etr map-server 1.2.3.4 key 7 {hunter2}
ipv6 etr map-server 1.2.3.4 key 6 {hunter2 proxy-reply}
etr map-server 1.2.3.4 key 7 {hunter2}
ip address 1.2.3.4 key 0 {hunter2}
kerberos srvtab entry host/x@R 0 817680774 1 1 8 {hunter2}
mab request format attribute 2 {hunter2}
mab request format attribute 2 7 {hunter2}
action 1.0 cli command "username joe password {hunter2}"
action 1.0 cli command "enable secret {hunter2}"
action 1.0 cli command "tacacs-server key {hunter2}"
action 1.0 cli command "snmp-server community {hunter2} ro"
alias exec addu username joe secret {hunter2}
alias configure addk tacacs-server key {hunter2}
test aaa group X server name Y joe {hunter2} legacy
pin {1234hunter2}
username joe privilege 15 secret {hunter2 password x}
bfd authentication keyed-md5 keyid 1 key {hunter2}
bfd authentication keyed-sha1 key-id 1 hex-key {hunter2}
ip bfd authentication keyed-sha1 keyid 1 key {hunter2}
auth text {hunter2}
authentication md5 key-s 7 {hunter2}
map-server 1.2.3.4 key {hunter2}
action 2.0 cli command "alias exec x {username joe password hunter2}"
cli username joe password {hunter2}
username joe secret {open pass word}
digest secret {my password is}
crypto ca import X pem url flash: {hunter2}
snmp-server user u network-admin auth sha-256 {hunter2} priv aes-128 {hunter3} localizedV2key
`

// moreOrdinaryCommands have no secret.
const moreOrdinaryCommands = `
aaa-server TAC (inside) host 1.2.3.4 timeout 10
snmp-server host 1.2.3.4 use-vrf management
mpls ldp password rollover duration 5
alias exec ct configure terminal
action 1.0 cli command "enable"
action 1.0 cli command "show run | include password"
authentication order dot1x mab
ip address 10.1.1.1 255.255.255.0 secondary
tunnel key 42
match flow key
ntp server 1.2.3.4 key 1
username joe autocommand show version
security passwords min-length 10
cts manual
cli show version
`
