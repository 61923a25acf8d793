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

	// GoldenAccess is the Access-Request of RFC 2865 section 7.1: nemo logs in by PAP. It has no
	// Message-Authenticator.
	GoldenAccess = "010000380f403f9473978057bd83d5cb98f4227a01066e656d6f02120dbe708d93d413ce3196e43f782a0aee0406c0a80110050600000003"
	// GoldenAccept has the attributes of the answer there, behind a Message-Authenticator.
	GoldenAccept = "02000038c13e8f5e21426df8a8fffcc5569ce9fc501204121386280130d5ef8ed8072ba8058d0606000000010f06000000000e06c0a80103"
	// GoldenSignedAccess is GoldenAccess with a Message-Authenticator first, the identifier 7, and the
	// Proxy-States ab and c last.
	GoldenSignedAccess = "010700510f403f9473978057bd83d5cb98f4227a501225dd08386e83d2e6af0db8b3e3eb30c601066e656d6f02120dbe708d93d413ce3196e43f782a0aee0406c0a8011005060000000321046162210363"
	// GoldenChallenge answers it: Message-Authenticator, State abcd, both Proxy-States.
	GoldenChallenge = "0b0700336bbbc594d91f7a8dbcd98ae721e12ce65012871c926f2b01cd28544aa9d56499a4eb18066162636421046162210363"
	// GoldenStatus is the Status-Server of RFC 5997 section 6.1.
	GoldenStatus = "0cda00268a54f4686fb394c52866e302185d062350125a665e2e1e8411f3e243822097c84fa3"
	// GoldenStatusAccept answers it, with a Message-Authenticator and else as in RFC 5997 section 6.1.
	GoldenStatusAccept = "02da00267e6d7a5f5dfa87b519bef260a6f15081501257566a4a4a4c690f8e18b73ae7a7f65f"

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
