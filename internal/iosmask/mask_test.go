package iosmask

import (
	"strings"
	"testing"
)

// secretCommands are commands of IOS, IOS XE and ASA with their secrets in braces.
const secretCommands = `
username bob password {hunter2}
username bob password 0 {hunter2}
username bob password 7 {0822455D0A16}
username bob privilege 15 secret 5 {$1$mERr$hx5rVt7rPNoS4wqbXKX7m0}
username bob privilege 15 secret {correct horse battery}
username bob secret 9 {$9$2MJBozw/9R3UsU$2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo6}
username bob algorithm-type scrypt secret {hunter2}
username bob one-time secret {hunter2}
username bob masked-secret {hunter2}
username bob view ops secret {hunter2}
username bob common-criteria-policy strict password 0 {hunter2}
username password password {hunter2}
user bob pass {hunter2}
userna bob priv 15 sec 0 {hunter2}
USERNAME bob PASSWORD {hunter2}
no username bob password {hunter2}
do username bob secret {hunter2}
default username bob secret {hunter2}
enable secret {hunter2}
enable secret 0 {hunter2}
enable secret 5 {$1$fP3Q$X8Ex4Fq5HjQ5g0WlE2fqO/}
enable secret level 7 5 {$1$fP3Q$X8Ex4Fq5HjQ5g0WlE2fqO/}
enable secret level 7 {hunter2}
enable algorithm-type sha256 secret {hunter2}
enable password {hunter2}
enable password 7 {0822455D0A16}
enable password level 10 {hunter2}
ena sec {hunter2}
en pass {hunter2}
no enable secret 5 {$1$fP3Q$X8Ex4Fq5HjQ5g0WlE2fqO/}
password {hunter2}
password 7 {0822455D0A16}
password 7
pass {my dog}
secret 5 {$1$fP3Q$X8Ex4Fq5HjQ5g0WlE2fqO/}
passwd {hunter2}
tacacs-server key {hunter2}
tacacs-server key 7 {02050D480809}
tacacs-server host 10.1.1.1 key {hunter2}
tacacs-server host 10.1.1.1 single-connection timeout 5 key 7 {02050D480809}
tac key {hunter2}
radius-server key {hunter2}
radius-server key 6 {ATXcTf^gYOMf}
radius-server host 10.1.1.1 auth-port 1812 acct-port 1813 key {hunter two}
radius-server host 10.1.1.1 key 7 {02050D480809}
radius-server host 10.1.1.1 pac key {hunter2}
server-private 10.1.1.1 auth-port 1812 acct-port 1813 key 7 {02050D480809}
server-private 10.1.1.1 key {hunter2}
key {hunter2}
key 7 {02050D480809}
key 0 {hunter2}
key 12345678
key config-key password-encrypt {hunter22}
key config-key 1 {hunter22}
pac key 7 {02050D480809}
client 10.1.1.1 server-key 7 {02050D480809}
client 10.1.1.1 vrf mgmt server-key {hunter2}
server-key {hunter2}
key-string {hunter2}
key-string 7 {02050D480809}
snmp-server community {public}
snmp-server community {public} ro
snmp-server community {s3cret} RW 10
snmp-server community {s3cret} view all ro ipv6 v6 10
snmp com {s3cret} rw
no snmp-server community {s3cret}
snmp-server host 10.1.1.1 {public}
snmp-server host 10.1.1.1 version 2c {public}
snmp-server host 10.1.1.1 traps version 2c {public} config
snmp-server host 10.1.1.1 informs version 2c {public} udp-port 1162
snmp-server host 10.1.1.1 traps {public}
snmp-server host 10.1.1.1 informs {public} bgp
snmp-server host 10.1.1.1 vrf mgmt {public}
snmp-server host 10.1.1.1 vrf mgmt version 1 {public}
snmp-server user bob ops v3 auth md5 {hunter22} priv aes 128 {hunter33}
snmp-server user bob ops v3 auth sha {hunter22} priv des {hunter33}
snmp-server user bob ops v3 auth sha {hunter22} priv 3des {hunter33} access 10
snmp-server user bob ops v3 encrypted auth md5 {8D:2F:0A} priv des56 {7A:01}
snmp-server user bob ops v3 auth md5 {hunter22}
snmp-server user bob ops v3 auth md5 {hunter22} access 10
snmp-server user bob ops remote 10.1.1.1 v3 auth sha {hunter22} priv aes 256 {hunter33}
snmp user auth auth v3 au sha {hunter22} pri aes 192 {hunter33}
snmp mib community-map {public} context c1
ppp chap password {hunter2}
ppp chap password 7 {02050D480809}
ppp chap password 0 {hunter2}
ppp pap sent-username bob password {hunter2}
ppp pap sent-username bob password 7 {02050D480809}
ppp eap password {hunter2}
crypto isakmp key {hunter2} address 10.1.1.1
crypto isakmp key 6 {hunter2} address 10.1.1.1 255.255.255.255 no-xauth
crypto isakmp key {hunter2} hostname peer.example
cry isa key {hunter2} address 0.0.0.0
crypto key export rsa mykeys pem url nvram: 3des {hunter22}
crypto key export rsa mykeys pem terminal des {hunter22}
crypto key import rsa mykeys pem terminal {hunter22}
crypto key import rsa mykeys pem url nvram:mykeys {hunter22}
crypto key encrypt rsa name mykeys passphrase {hunter22}
crypto key unlock rsa passphrase {hunter22}
crypto pki import tp pkcs12 nvram:tp.p12 {hunter22}
crypto pki import tp pkcs12 nvram:tp.p12 password {hunter22}
crypto pki export tp pkcs12 nvram:tp.p12 password {hunter22}
crypto ca export tp pkcs12 nvram: {hunter22}
crypto pki export tp pem terminal 3des {hunter22}
crypto pki export tp pem terminal des {hunter22}
pre-shared-key address 10.1.1.1 key {hunter2}
pre-shared-key hostname peer.example key 6 {hunter2}
pre-shared-key local {hunter2}
pre-shared-key remote 6 {hunter2}
pre-shared-key hex {0a0b0c}
pre-shared-key {hunter2}
ikev1 pre-shared-key {hunter2}
ikev2 local-authentication pre-shared-key {hunter2}
authentication local pre-share key {hunter2}
authentication remote pre-share key 0 {hunter2}
set session-key inbound ah 300 {9876543210987654}
set session-key outbound esp 300 cipher {1234abcd} authenticator {abcd1234}
set session-key inbound esp 300 cipher {1234abcd}
neighbor 10.1.1.1 password {hunter2}
neighbor 10.1.1.1 password 7 {02050D480809}
neighbor ibgp-peers password {hunter2}
nei 10.1.1.1 pass {hunter2}
ip ospf authentication-key {hunter2}
ip ospf authentication-key 7 {02050D480809}
ip ospf message-digest-key 1 md5 {hunter2}
ip ospf message-digest-key 1 md5 7 {02050D480809}
ip ospf mess 1 md5 {hunter2}
area 1 virtual-link 10.1.1.1 authentication-key {hunter2}
area 1 virtual-link 10.1.1.1 authentication message-digest message-digest-key 1 md5 {hunter2}
area 0 sham-link 10.1.1.1 10.1.1.2 authentication-key 7 {02050D480809} cost 40
ipv6 ospf authentication ipsec spi 500 md5 {1234567890abcdef1234567890abcdef}
ipv6 ospf authentication ipsec spi 500 sha1 7 {1234567890abcdef}
ipv6 ospf encryption ipsec spi 1001 esp null sha1 {123456789A}
ipv6 ospf encryption ipsec spi 1001 esp aes-cbc 128 {123456789A} sha1 {ABCDEF}
area 1 encryption ipsec spi 1001 esp 3des 7 {123456789A} md5 7 {ABCDEF}
area 0 authentication ipsec spi 1000 md5 {1234567890ABCDEF1234567890ABCDEF}
authentication mode hmac-sha-256 {hunter2}
authentication mode hmac-sha-256 7 {02050D480809}
isis password {hunter2} level-2
area-password {hunter2}
lsp-password {hunter2}
domain-password {hunter2} authenticate snp validate
ip nhrp authentication {hunter2}
mpls ldp neighbor 10.1.1.1 password {hunter2}
mpls ldp neighbor vrf v1 10.1.1.1 password 7 {02050D480809}
mpls ldp password fallback {hunter2}
mpls ldp password option 1 for 10 7 {02050D480809}
ip msdp password peer 10.1.1.1 {hunter2}
ip msdp password peer 10.1.1.1 0 {hunter2}
ntp authentication-key 1 md5 {hunter2}
ntp authentication-key 1 md5 {02050D480809} 7
standby 1 authentication {hunter2}
standby authentication {hunter2}
standby 1 authentication text {hunter2}
standby 1 authentication md5 key-string {hunter2}
standby 1 authentication md5 key-string 7 {02050D480809} timeout 30
glbp 10 authentication text {hunter2}
glbp 10 authentication md5 key-string {hunter2}
vrrp 1 authentication {hunter2}
vrrp 1 authentication text {hunter2}
vrrp 1 authentication md5 key-string {hunter2}
wpa-psk ascii {hunter22}
wlan test passphrase {hunter22}
command-set ops secret 0 {hunter2}
feature x key-string {hunter22}
wpa-psk ascii 0 {hunter22}
wpa-psk hex 7 {02050D480809}
security wpa psk set-key ascii 0 {hunter22}
config wlan security wpa akm psk set-key ascii {hunter22} 1
encryption key 1 size 128bit 7 {02050D480809} transmit-key
encryption vlan 10 key 1 size 40bit {1234567890}
vtp password {hunter2}
vtp password {hunter2 hidden}
vtp pass {hunter2}
l2tp tunnel password {hunter2}
l2tp tunnel password 7 {02050D480809}
ip ftp password {hunter2}
ip ftp pass 7 {02050D480809}
ip http client password 0 {hunter2}
ip wccp web-cache password 7 {02050D480809}
bind authenticate root-dn cn=admin,dc=example password 0 {hunter2}
authentication username bob password 7 {02050D480809}
credentials username bob password {hunter2 realm example}
dot1x credentials supplicant password {hunter2}
test aaa group radius bob {hunter2} new-code
test aaa group tacacs+ bob {hunter2} legacy
test aaa group isp server 10.1.1.1 bob {hunter2} new-code
copy running-config ftp://bob:{hunter2}@10.1.1.1/as5200-confg
copy scp://bob:{hunter2}@10.1.1.1/ios.bin flash:
copy http://bob:{p:a@ss}@10.1.1.1/ios.bin flash:
show running-config | redirect ftp://bob:{hunter2}@10.1.1.1/config
archive download-sw ftp://bob:{hunter2}@10.1.1.1/ios.tar
path ftp://bob:{hunter2}@10.1.1.1/$h
   enable   secret   {hunter2}
username bob password "{my dog}"
`

// ordinaryCommands have no secret.
const ordinaryCommands = `
show version
show interfaces Ethernet 0
show ip route
show running-config | include password
show running-config | section username
sh run | i secret 5
show key chain
show snmp community
show crypto isakmp key
show vtp password
configure terminal
conf t
interface Serial 0
ip address 10.1.1.1 255.255.255.0
write memory
copy running-config startup-config
copy tftp://10.1.1.1/ios.bin flash:
copy ftp://bob@10.1.1.1/ios.bin flash:
more http://[2001:db8::1]:8080/a
reload in 10
clear counters
debug aaa authentication
debug ppp authentication
undebug all
enable
enable 15
enable view root
enable password
enable secret
disable
exit
username bob privilege 15
username bob nopassword
username bob autocommand show users
no username bob
aaa new-model
aaa authentication login default group tacacs+ local
aaa authentication password-prompt Passcode:
aaa accounting commands 15 default start-stop group tacacs+
aaa password restriction
aaa group server radius isp
tacacs server t1
tacacs-server timeout 5
tacacs-server host 10.1.1.1 single-connection
radius server r1
radius-server deadtime 5
radius-server attribute 44 include-in-access-req
radius-server host 10.1.1.1 auth-port 1812 acct-port 1813
server-private 10.1.1.1 auth-port 1812
address ipv4 10.1.1.1 auth-port 1812 acct-port 1813
key chain ospf
key 1
key 100
key
no key 2
password
password encryption aes
password policy strict
password strength-check
service password-encryption
no service password-recovery
security passwords min-length 8
pass
pass log
passive-interface default
snmp-server contact secret agent
snmp-server location password street
snmp-server enable traps
snmp-server host 10.1.1.1 version 3 priv bob
snmp-server host 10.1.1.1 informs version 3 auth bob
snmp-server user bob ops v3
snmp-server user bob ops v3 access 10
snmp-server group ops v3 priv
snmp-server view all iso included
ppp authentication chap pap
ppp chap hostname as5200
ppp pap refuse
crypto isakmp policy 10
crypto isakmp keepalive 10
crypto isakmp key
crypto key generate rsa modulus 2048
crypto key generate rsa general-keys label mykeys exportable
crypto key zeroize rsa
crypto pki authenticate tp
crypto pki enroll tp
crypto map m 10 ipsec-isakmp
authentication pre-share
encryption aes 256
set peer 10.1.1.1
set security-association lifetime seconds 3600
set community 100:1
ip community-list 1 permit 100:1
mka pre-shared-key key-chain macsec
neighbor 10.1.1.1 remote-as 65000
neighbor 10.1.1.1 send-community
ip ospf authentication
ip ospf authentication message-digest
ip ospf authentication key-chain ospf
area 0 authentication message-digest
ip authentication mode eigrp 1 md5
ip authentication key-chain eigrp 1 chain1
authentication mode md5
authentication key-chain chain1
isis authentication mode md5
mpls ldp password required
mpls ldp password option 1 for 10 key-chain c1
mpls ldp password fallback key-chain c1
ntp authenticate
ntp trusted-key 1
ntp server 10.1.1.1 key 1
standby 1 ip 10.1.1.1
standby 1 authentication md5 key-chain c1
glbp 10 authentication md5 key-chain c1
vrrp 1 authentication md5 key-chain c1
tunnel key 123
ip ssh rsa keypair-name mykeys
ip ssh pubkey-chain
key-hash ssh-rsa 7B2F0A
ip ftp username bob
ip ftp passive
line vty 0 4
login local
privilege exec level 7 show running-config
privilege configure level 7 enable secret level 5
banner motd ^C enter your password now ^C
description password of the uplink
access-list 10 remark secret passage
remark password reset servers
alias exec pw show running-config | include password
hostname secret
do show ip interface brief
no shutdown
no
do
`

func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// marked returns a line without its braces, and with each text in braces masked.
func marked(line string) (command, want string) {
	for rest := line; ; {
		before, after, ok := strings.Cut(rest, "{")
		command, want = command+before, want+before
		if !ok {
			return command, want
		}
		var secret string
		secret, rest, _ = strings.Cut(after, "}")
		command, want = command+secret, want+mask
	}
}

func TestSecrets(t *testing.T) {
	for _, line := range lines(secretCommands + moreSecretCommands) {
		command, want := marked(line)
		switch line { // a word that looks like a number, but is the secret
		case "password 7":
			want = "password " + mask
		case "key 12345678":
			want = "key " + mask
		case `username bob password "{my dog}"`:
			want = "username bob password " + mask
		}
		if got := Command(command); got != want {
			t.Errorf("%q\n got %q\nwant %q", command, got, want)
		}
	}
}

func TestOrdinary(t *testing.T) {
	for _, command := range lines(ordinaryCommands + moreOrdinaryCommands) {
		if got := Command(command); got != command {
			t.Errorf("%q became %q", command, got)
		}
	}
}

// TestRulesAreUsed: each rule is the first that matches one of the commands, so none hides another.
func TestRulesAreUsed(t *testing.T) {
	used := map[int]bool{}
	for _, line := range append(lines(secretCommands+moreSecretCommands), lines(ordinaryCommands+moreOrdinaryCommands)...) {
		command, _ := marked(line)
		words := split(command)
		for len(words) > 0 && isPrefixWord(words[0].of(command)) {
			words = words[1:]
		}
		for i, r := range compiled() {
			if _, ok := r.match(command, words); ok {
				used[i] = true
				break
			}
		}
	}
	i := 0
	for _, line := range lines(table) {
		if !used[i] {
			t.Errorf("no command tests the rule %q", line)
		}
		i++
	}
}

// FuzzCommand: nothing is left of a secret that a rule finds, masking twice changes no more, and a
// long command takes no long time.
func FuzzCommand(f *testing.F) {
	for _, line := range append(lines(secretCommands+moreSecretCommands), lines(ordinaryCommands+moreOrdinaryCommands)...) {
		command, _ := marked(line)
		f.Add(command)
	}
	f.Add(strings.Repeat("au ", 5000))
	f.Fuzz(func(t *testing.T, text string) {
		once := Command(text)
		if twice := Command(once); twice != once {
			t.Errorf("%q became %q, then %q", text, once, twice)
		}
	})
}

func BenchmarkCommand(b *testing.B) {
	for b.Loop() {
		Command("snmp-server user bob ops v3 auth md5 hunter22 priv aes 128 hunter33")
	}
}
