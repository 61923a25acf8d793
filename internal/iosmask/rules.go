package iosmask

// table has the rules; the package comment says what a line means. Those of one command stand
// together, the ones with more words first.
const table = `
sh(ow) ...
deb(ug) ...
un(debug) ...
pri(vilege) ...
ban(ner) ...
des(cription) ...
rem(ark) ...
access-l(ist) ... rem(ark) ...
al(ias) * * <command>
act(ion) * cl(i) co(mmand) <command>
cli <command>
ho(stname) ...
snm(p-server) con(tact) ...
snm(p-server) loc(ation) ...
service ...
key ch(ain) ...
key <number>
pass log

us(ername) * ... pa(ssword)|s(ecret)|masked-s(ecret)|passphrase <rest>
en(able) p(assword) l(evel) * <rest>
en(able) p(assword) <rest>
en(able) s(ecret) l(evel) * <rest>
en(able) ... s(ecret) <rest>
pas(sword) e(ncryption) a(es)
pas(sword) p(olicy) ...
pas(sword) str(ength-check)
pas(sword) <rest>
passwd <rest>
secret <rest>
aaa pa(ssword) ...
test aaa g(roup) * se(rver) na(me) * * <key>
test aaa g(roup) * se(rver) * * <key>
test aaa g(roup) * * <key>

key config-key * <rest>
key <rest>
key-s(tring) <rest>
key-o(ctet-string) <key>
tac(acs-server) ... k(ey) <rest>
rad(ius-server) ... k(ey) <rest>
server-p(rivate) ... k(ey) <rest>
pac k(ey) <rest>
aaa-server * ... host * timeout ...
aaa-server * ... host * k(ey) <rest>
aaa-server * ... host * <key>
ldap-login-password <rest>
fail(over) k(ey) <rest>
... server-k(ey) <rest>

snm(p-server) com(munity) <key>
snm(p-server) h(ost) * ... ver(sion) 3 ...
snm(p-server) h(ost) * ... community <key>
snm(p-server) h(ost) * ... ver(sion) * <key>
snm(p-server) h(ost) * ... inf(orms) <key>
snm(p-server) h(ost) * ... tr(aps) <key>
snm(p-server) h(ost) * vr(f) * <key>
snm(p-server) h(ost) * use-vrf|filter-vrf|source-interface ...
snm(p-server) h(ost) * <key>
snm(p-server) us(er) * * ... au(th) * <key> ... pr(iv) 3(des)|a(es)|d(es)|des56|aes-128|aes-192|aes-256 <key>
snm(p-server) us(er) * * ... au(th) * <key> ... pr(iv) <key>
snm(p-server) us(er) * * ... au(th) * <key>
snm(p-server) us(er) * au(th) * <key> ... pr(iv) 3(des)|a(es)|d(es)|des56|aes-128|aes-192|aes-256 <key>
snm(p-server) us(er) * au(th) * <key> ... pr(iv) <key>
snm(p-server) us(er) * au(th) * <key>
snm(p-server) m(ib) com(munity-map) <key>

ppp c(hap) p(assword) <rest>
ppp p(ap) s(ent-username) * p(assword) <rest>
ppp e(ap) p(assword) <rest>

cr(ypto) is(akmp) k(ey) <key>
isakmp k(ey) <key>
cr(ypto) k(ey) ex(port) ... 3des <rest>
cr(ypto) k(ey) ex(port) ... des <rest>
cr(ypto) k(ey) im(port) ... te(rminal) <rest>
cr(ypto) k(ey) im(port) ... url * <rest>
cr(ypto) k(ey) ... pass(phrase) <rest>
cr(ypto) k(ey) ...
cr(ypto) * i(mport) * ... p(assword) <rest>
cr(ypto) * i(mport) * pem ... te(rminal) <rest>
cr(ypto) * i(mport) * pem ... url * <rest>
cr(ypto) * i(mport) * pk(cs12) * <rest>
cr(ypto) ca i(mport) * pk(cs12) <rest>
cr(ypto) * e(xport) * ... p(assword) <rest>
cr(ypto) * e(xport) * pk(cs12) * <rest>
cr(ypto) ca e(xport) * pk(cs12) <rest>
cr(ypto) * e(xport) * pem ... 3des <rest>
cr(ypto) * e(xport) * pem ... des <rest>
mka pre-s(hared-key) ...
pre-s(hared-key) ... k(ey) <rest>
pre-s(hared-key) l(ocal) <rest>
pre-s(hared-key) r(emote) <rest>
pre-s(hared-key) he(x) <rest>
pre-s(hared-key) <rest>
au(thentication) ... pre-s(hare) k(ey) <rest>
se(t) se(ssion-key) ... ah * <key>
se(t) se(ssion-key) ... c(ipher) <key> ... a(uthenticator) <key>
se(t) se(ssion-key) ... c(ipher) <key>
... pre-shared-key <rest>

nei(ghbor) * pa(ssword) <rest>
au(thentication) m(ode) hmac-sha-256 <rest>
isis pa(ssword) <key>
area-p(assword) <key>
domain-p(assword) <key>
lsp-p(assword) <key>
vtp pa(ssword) <rest>
ip ftp pass(word) <rest>
ip http c(lient) pass(word) <rest>
ip nhrp au(thentication) <rest>
ipv6 nhrp au(thentication) <rest>
nhrp au(thentication) <rest>
ip wccp ... pa(ssword) <rest>
l2tp tu(nnel) pa(ssword) <rest>
digest s(ecret) <rest>
mpls ldp ... pa(ssword) re(quired) ...
mpls ldp ... pa(ssword) ro(llover) ...
mpls ldp ... pa(ssword) o(ption) * f(or) * key-c(hain) ...
mpls ldp ... pa(ssword) o(ption) * f(or) * <rest>
mpls ldp ... pa(ssword) f(allback) key-c(hain) ...
mpls ldp ... pa(ssword) f(allback) <rest>
mpls ldp ... pa(ssword) <rest>
ip ms(dp) pa(ssword) p(eer) * <rest>
nt(p) authentication-k(ey) * * <key>
sntp authentication-k(ey) * * <key>
stan(dby) ... au(thentication) m(d5) key-c(hain) ...
stan(dby) ... au(thentication) m(d5) key-s(tring) <key>
stan(dby) ... au(thentication) te(xt) <rest>
stan(dby) ... au(thentication) <rest>
glbp ... au(thentication) m(d5) key-c(hain) ...
glbp ... au(thentication) m(d5) key-s(tring) <key>
glbp ... au(thentication) te(xt) <rest>
vrrp ... au(thentication) m(d5) key-c(hain) ...
vrrp ... au(thentication) m(d5) key-s(tring) <key>
vrrp ... au(thentication) te(xt) <rest>
vrrp ... au(thentication) <rest>
au(thentication) te(xt) <rest>
au(thentication) md5 key-s(tring) <rest>
... au(thentication) keyed-md5|keyed-sha1 * * * <rest>
... authentication-k(ey) <key>
... me(ssage-digest-key) * md5 <key>
... au(thentication) ips(ec) spi * * <rest>
... enc(ryption) ips(ec) spi * esp null * <key>
... enc(ryption) ips(ec) spi * esp * <key> * <key>

cts sap p(mk) <key>
sap p(mk) <key>
... map-s(erver) * k(ey) <rest>
ip ad(dress) * k(ey) <rest>
kerb(eros) sr(vtab) en(try) * * * * * * <rest>
mab req(uest) fo(rmat) at(tribute) 2 <rest>
pin <rest>

wpa-p(sk) * <rest>
sec(urity) static-wep-k(ey) en(cryption) * * <key>
... set-key * <key>
enc(ryption) ... k(ey) * s(ize) * <key>

... passw(ord)|secret|passphrase|key-string <rest>
`
