package radius

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"layeh.com/radius/dictionary"
)

// Kind is the data type of an attribute's value (RFC 8044).
type Kind uint8

// The kinds of values.
const (
	Octets      Kind = iota // any octets; also attributes that are not in the dictionary
	Text                    // UTF-8
	Integer                 // four octets
	Integer64               // eight octets
	Byte                    // one octet
	Short                   // two octets
	Signed                  // four octets, two's complement
	Time                    // four octets, seconds since 1970
	IPv4Address             // four octets
	IPv6Address             // sixteen octets
	IPv4Prefix              // reserved, length in bits, four octets
	IPv6Prefix              // reserved, length in bits, up to sixteen octets
	InterfaceID             // eight octets
	Ethernet                // six octets
)

// kinds maps the names in FreeRADIUS's and layeh's dictionaries to kinds.
var kinds = map[string]Kind{
	"octets": Octets, "vsa": Octets, "tlv": Octets, "abinary": Octets, "string": Text, "integer": Integer, "integer64": Integer64,
	"byte": Byte, "short": Short, "signed": Signed, "date": Time, "ipaddr": IPv4Address, "ipv6addr": IPv6Address,
	"ipv4prefix": IPv4Prefix, "ipv6prefix": IPv6Prefix, "ifid": InterfaceID, "ether": Ethernet,
}

// Occurrence is how often an attribute may occur in an Accounting-Request, as in the tables of
// attributes (RFC 2866 section 5.13 and later ones).
type Occurrence uint8

// The entries of these tables. ZeroOrMore is also used for types in no table, and ZeroOrOne for
// "1".
const (
	ZeroOrMore Occurrence = iota // 0+
	ZeroOrOne                    // 0-1: the first one counts
	OnePerTag                    // 0-1/tag: once for each tunnel, identified by the tag (RFC 2868 section 3)
	Never                        // 0
)

var occurrences = map[string]Occurrence{"0+": ZeroOrMore, "0-1": ZeroOrOne, "0-1/tag": OnePerTag, "0": Never}

// ID identifies an attribute, including those of vendors.
type ID struct {
	Type       Type   // VendorSpecific for a vendor's attribute
	Vendor     uint32 // 0 for an attribute of the IETF
	VendorType uint8  // the vendor's type
}

// String returns the name that FreeRADIUS uses for an attribute without a name.
func (id ID) String() string {
	if id.Vendor == 0 {
		return fmt.Sprintf("Attr-%d", id.Type)
	}
	return fmt.Sprintf("Attr-26.%d.%d", id.Vendor, id.VendorType)
}

// Definition is the definition of an attribute in a dictionary.
type Definition struct {
	ID
	Name      string
	Kind      Kind
	Tagged    bool // the value begins with a tag (RFC 2868 section 3)
	Encrypted bool // the value is not readable, so Kind is Octets
	values    *enumeration
}

// enumeration has the names of an attribute's values.
type enumeration struct {
	names   map[uint32]string // if a number has several names, the last one
	numbers map[string]uint32
}

// vendor has the attributes of a vendor whose type and length fields have one octet each.
type vendor [256]*Definition

// Dictionary has the names of attributes and values. It is immutable.
type Dictionary struct {
	parts       []*dictionary.Dictionary // its sources
	occurrences [256]Occurrence
	attributes  [256]*Definition
	vendors     map[uint32]*vendor
	names       map[string]*Definition
	skipped     []Skipped
	encryptions encryptions
}

//go:embed dictionary/*.dictionary
var standardFiles embed.FS

// Standard returns the built-in dictionary.
var Standard = sync.OnceValue(func() *Dictionary {
	d, err := new(Dictionary).read(standardFiles.ReadFile, true, "dictionary/rfc.dictionary", "dictionary/vendors.dictionary")
	if err != nil {
		panic(err) // tests parse the built-in files
	}
	return d
})

// add adds the result of layeh's parser. On error, name is the attribute that caused it.
func (d *Dictionary) add(part *dictionary.Dictionary) (name string, err error) {
	if name, err := d.define(part.Attributes, 0); err != nil {
		return name, err
	}
	for _, v := range part.Vendors {
		number := uint32(v.Number)
		if v.GetTypeOctets() != 1 || v.GetLengthOctets() != 1 {
			delete(d.vendors, number) // its attributes remain octets
			continue
		}
		if d.vendors[number] == nil {
			d.vendors[number] = new(vendor)
		}
		if name, err := d.define(v.Attributes, number); err != nil {
			return name, err
		}
	}
	d.enumerate(part.Values)
	for _, v := range part.Vendors {
		d.enumerate(v.Values)
	}
	d.parts = append(d.parts, part)
	return "", nil
}

// define adds attributes of the IETF (number 0) or of a vendor. If several have one type, the last
// name is printed.
func (d *Dictionary) define(list []*dictionary.Attribute, number uint32) (name string, err error) {
	definitions := &d.attributes
	if number != 0 {
		definitions = (*[256]*Definition)(d.vendors[number])
	}
	for _, a := range list {
		if len(a.OID) != 1 || a.OID[0] > 255 || a.OID[0] == 0 && number == 0 {
			continue // internal to FreeRADIUS, or in a TLV: not a single attribute on the wire
		}
		def := &Definition{
			ID: ID{Type: Type(a.OID[0])}, Name: a.Name, Kind: kinds[a.Type.String()],
			Tagged: a.HasTag(), Encrypted: a.FlagEncrypt.Valid, values: &enumeration{map[uint32]string{}, map[string]uint32{}},
		}
		if number != 0 {
			def.ID = ID{VendorSpecific, number, uint8(a.OID[0])}
		}
		d.encryptions.set(def.ID, encryptionOf(a.FlagEncrypt.Int, def.Tagged))
		if def.Encrypted {
			def.Kind, def.Tagged = Octets, false
		}
		if old := d.names[a.Name]; old != nil && old.ID != def.ID {
			return a.Name, fmt.Errorf("%s is already the name of %v", a.Name, old.ID)
		}
		if old := definitions[a.OID[0]]; old != nil {
			def.values = old.values
		}
		definitions[a.OID[0]], d.names[a.Name] = def, def
	}
	return "", nil
}

// enumerate adds the names of values. It ignores those of undefined attributes.
func (d *Dictionary) enumerate(values []*dictionary.Value) {
	for _, v := range values {
		if def := d.names[v.Attribute]; def != nil {
			def.values.names[uint32(v.Number)] = v.Name
			def.values.numbers[v.Name] = uint32(v.Number)
		}
	}
}

// All returns the attributes in the order of their names.
func (d *Dictionary) All() []*Definition {
	return slices.SortedFunc(maps.Values(d.names), func(a, b *Definition) int { return strings.Compare(a.Name, b.Name) })
}

// Name returns the name of an attribute, or "Attr-N".
func (d *Dictionary) Name(t Type) string {
	if def := d.attributes[t]; def != nil {
		return def.Name
	}
	return ID{Type: t}.String()
}

// ValueName returns the name of a value of an enumerated attribute, or "".
func (d *Dictionary) ValueName(t Type, n uint32) string {
	if def := d.attributes[t]; def != nil {
		return def.values.names[n]
	}
	return ""
}

// InAccounting returns how often an attribute may occur in an Accounting-Request.
func (d *Dictionary) InAccounting(t Type) Occurrence { return d.occurrences[t] }
