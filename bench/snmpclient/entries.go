package snmpclient

import (
	"errors"

	"github.com/gosnmp/gosnmp"
)

// Entries gets casnActiveTableEntries.0, the number of rows of casnActiveTable.
func Entries(client *gosnmp.GoSNMP) (int, error) {
	answer, err := client.Get([]string{ActiveTableEntries})
	if err != nil {
		return 0, err
	}
	if rows, ok := answer.Variables[0].Value.(uint); ok {
		return int(rows), nil
	}
	return 0, errors.New("client: casnActiveTableEntries.0 is not a Gauge32")
}

// ActiveTableEntries is casnActiveTableEntries.0 (CISCO-AAA-SESSION-MIB).
const ActiveTableEntries = ".1.3.6.1.4.1.9.9.150.1.1.1.0"
