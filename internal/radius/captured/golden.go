package captured

import (
	"encoding/hex"
	"testing"
)

// Packets made with another implementation of MD5 and HMAC, in hexadecimal, with the secret
// [GoldenSecret].
const (
	// GoldenRequest is a start of session 0000000D: User-Name nemo, NAS-IP-Address 192.168.1.16,
	// Acct-Delay-Time 7.
	GoldenRequest = "041c003690e50afadd896ee701f7cc58410063232806000000012c0a303030303030304401066e656d6f0406c0a80110290600000007"
	// GoldenResponse is an answer to it without attributes.
	GoldenResponse = "051c001485f771bd7a71730934f25313166cd9ff"
	// GoldenSigned is an answer with Message-Authenticator and Proxy-State.
	GoldenSigned = "051c0029e05ed910cb131f8a85d9b4c7a80db15550123ecd35ea70e8ff5e65a1339b978e1ff8210307"
	// GoldenForged is an answer whose Message-Authenticator is zeros; its authenticator is right.
	GoldenForged = "051c00296061efe2097bb09d13c485b197a73c2c501200000000000000000000000000000000210307"

	GoldenSecret = "xyzzy5461"
)

// Octets decodes hexadecimal digits.
func Octets(tb testing.TB, digits string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
