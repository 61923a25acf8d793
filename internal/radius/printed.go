package radius

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Printed is an attribute as text.
type Printed struct {
	Name   string // with the tag, if the value has one: Tunnel-Type:1
	Text   string
	Number bool // Text is a decimal number
}

// Print converts attributes to text. A Vendor-Specific is shown as the attributes in it. If the
// dictionary does not have one of them, or the contents do not follow the recommendation of RFC
// 2865 section 5.26, it is shown as a Vendor-Specific of octets.
func (d *Dictionary) Print(attrs Attributes) iter.Seq[Printed] {
	return func(yield func(Printed) bool) {
		for t, value := range attrs.All() {
			if t != VendorSpecific {
				if !yield(d.attributes[t].print(d.Name(t), value)) {
					return
				}
				continue
			}
			for p := range d.printVendors(value) {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// print converts an attribute with the given name.
func (def *Definition) print(name, value string) (p Printed) {
	tag, value := def.splitTag(value)
	p.Text, p.Number = def.format(value)
	if p.Name = name; tag != 0 {
		p.Name += ":" + strconv.Itoa(int(tag))
	}
	return p
}

// printVendors converts the contents of a Vendor-Specific.
func (d *Dictionary) printVendors(value string) iter.Seq[Printed] {
	return func(yield func(Printed) bool) {
		number, attrs, ok := splitVendors(value)
		table := d.vendors[number]
		if !ok || table == nil {
			yield(d.vendorOctets(value))
			return
		}
		for t, v := range attrs.All() {
			p := Printed{}
			if def := table[t]; def != nil {
				p = def.print(def.Name, v)
			} else {
				p = d.vendorOctets(joinVendors(number, byte(t), v))
			}
			if !yield(p) {
				return
			}
		}
	}
}

func (d *Dictionary) vendorOctets(value string) Printed {
	return Printed{Name: d.Name(VendorSpecific), Text: hexadecimal(value)}
}

// splitVendors parses a Vendor-Specific (RFC 2865 section 5.26): the vendor's number, and at least
// one attribute in RADIUS format.
func splitVendors(value string) (number uint32, attrs Attributes, ok bool) {
	if len(value) <= 4 {
		return 0, "", false
	}
	attrs = Attributes(value[4:])
	return binary.BigEndian.Uint32([]byte(value[:4])), attrs, attrs.Valid()
}

// joinVendors encodes a Vendor-Specific with one attribute. The value is cut to 247 octets.
func joinVendors(number uint32, t byte, value string) string {
	return string(AppendAttribute(binary.BigEndian.AppendUint32(nil, number), Type(t), value[:min(len(value), 247)]))
}

// Values yields the values of the attributes with this id. For a vendor's attribute, each is the
// value of a Vendor-Specific with that attribute only.
func (id ID) Values(attrs Attributes) iter.Seq[string] {
	return func(yield func(string) bool) {
		for t, value := range attrs.All() {
			switch {
			case t != id.Type:
			case id.Vendor == 0:
				if !yield(value) {
					return
				}
			default:
				number, inner, ok := splitVendors(value)
				if !ok || number != id.Vendor {
					continue
				}
				for u, v := range inner.All() {
					if byte(u) == id.VendorType && !yield(joinVendors(number, byte(u), v)) {
						return
					}
				}
			}
		}
	}
}

// ErrNoAttribute is returned for a name that is not in the dictionary.
var ErrNoAttribute = errors.New("unknown attribute name")

// Lookup finds an attribute by its name, or by "Name:tag" if the attribute has a tag.
func (d *Dictionary) Lookup(name string) (def *Definition, tag byte, err error) {
	if def := d.names[name]; def != nil {
		return def, 0, nil
	}
	if base, digits, ok := strings.Cut(name, ":"); ok && d.names[base] != nil && d.names[base].Tagged {
		n, err := strconv.ParseUint(digits, 10, 8)
		if err != nil || n > maxTag {
			return nil, 0, fmt.Errorf("%q is not a tag from 0 to %d", digits, maxTag)
		}
		return d.names[base], byte(n), nil
	}
	return nil, 0, ErrNoAttribute
}

// Parse parses the name and text of an attribute, as Print shows them. For a vendor's attribute it
// returns the value of the Vendor-Specific.
func (d *Dictionary) Parse(name, text string) (Type, string, error) {
	def, tag, err := d.Lookup(name)
	switch {
	case err != nil:
		return 0, "", err
	case def.Encrypted:
		return 0, "", errors.New("its value is encrypted")
	}
	value, err := def.parse(text)
	if err != nil {
		return 0, "", err
	}
	value = def.addTag(tag, value)
	room := 253
	if def.Vendor != 0 {
		room -= 6
	}
	if len(value) == 0 || len(value) > room {
		return 0, "", fmt.Errorf("has %d octets, must have 1 to %d", len(value), room)
	}
	if def.Vendor != 0 {
		value = joinVendors(def.Vendor, def.VendorType, value)
	}
	return def.Type, value, nil
}
