package radius

import (
	"fmt"

	layeh "layeh.com/radius"
)

// AppendUserPassword appends a User-Password (RFC 2865 section 5.2) to b. request is the
// authenticator of its Access-Request. An error means that the password has more than 128 octets, or
// that the secret is empty.
func AppendUserPassword(b []byte, password string, secret Secret, request Authenticator) ([]byte, error) {
	value, err := layeh.NewUserPassword([]byte(password), []byte(secret), request[:])
	if err != nil {
		return b, fmt.Errorf("radius: User-Password: %w", err)
	}
	return AppendAttribute(b, UserPassword, string(value)), nil
}
