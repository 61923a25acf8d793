package strictyaml_test

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/internal/strictyaml"
)

// color implements encoding.TextUnmarshaler.
type color int

func (c *color) UnmarshalText(text []byte) error {
	switch string(text) {
	case "red":
		*c = 1
	case "green":
		*c = 2
	default:
		return errors.New("is no color")
	}
	return nil
}

// upper is a scalar of the Engine's user.
type upper string

func parseUpper(text string, _ reflect.StructTag) (any, error) {
	if strings.ToUpper(text) != text {
		return nil, fmt.Errorf("%q has small letters", text)
	}
	return upper(text), nil
}

var engine = strictyaml.New(map[reflect.Type]strictyaml.Scalar{
	reflect.TypeFor[upper](): {Wants: "large letters", Parse: parseUpper, Pattern: "^[A-Z]*$"},
})

// file has a field of every kind.
type file struct {
	Name    string                       `yaml:"name" default:"n" min:"1" max:"8" restart:"yes" doc:"A text."`
	Level   string                       `yaml:"level" default:"low" enum:"low medium high" doc:"One of several."`
	On      bool                         `yaml:"on" default:"true" doc:"A boolean."`
	Count   int                          `yaml:"count" default:"3" min:"-5" max:"100" doc:"An integer."`
	Port    uint16                       `yaml:"port" default:"1813" min:"1" max:"65535" doc:"A small integer."`
	Wait    time.Duration                `yaml:"wait" default:"5s" min:"10ms" max:"1h" doc:"A duration."`
	Room    strictyaml.Size              `yaml:"room" default:"1MiB" min:"1KiB" max:"1TiB" doc:"A size."`
	Limit   strictyaml.Limit             `yaml:"limit" default:"" min:"1KiB" max:"1TiB" doc:"A limit."`
	Folder  strictyaml.Path              `yaml:"folder" default:"var" doc:"A file name."`
	Address netip.Addr                   `yaml:"address" default:"" doc:"An address."`
	Listen  []netip.AddrPort             `yaml:"listen" default:"127.0.0.1:1 [::1]:2" min:"1" max:"3" restart:"yes" doc:"A list with a default."`
	From    []netip.Prefix               `yaml:"from" doc:"A list."`
	Color   color                        `yaml:"color" default:"green" enum:"red green" doc:"A TextUnmarshaler."`
	Any     color                        `yaml:"any" default:"" doc:"A TextUnmarshaler without enum."`
	Upper   upper                        `yaml:"upper" default:"U" doc:"A scalar of the user."`
	Secret  strictyaml.Secret            `yaml:"secret" doc:"A secret."`
	Peers   []peer                       `yaml:"peers" doc:"A list of mappings."`
	Limits  *limits                      `yaml:"limits" restart:"presence" doc:"Optional."`
	Lists   map[string]peer              `yaml:"lists" keys:"^(one|two)$" wants:"one or two" doc:"A map."`
	Secrets map[string]strictyaml.Secret `yaml:"secrets" keys:"^one$" wants:"one" doc:"A map of secrets."`
	Words   []string                     `yaml:"words" max:"2" single:"yes" each:"enum:\"a b\"" doc:"A word, or a list."`
	Levels  map[string]map[string]peer   `yaml:"levels" keys:"^[0-9]$" wants:"a digit" each:"keys:\"^(one|two)$\" wants:\"one or two\"" doc:"A map of maps."`
}

type peer struct {
	Name    string            `yaml:"name" required:"yes" doc:"Required."`
	Secret  strictyaml.Secret `yaml:"secret" doc:"A secret."`
	Timeout *time.Duration    `yaml:"timeout" min:"1s" max:"9s" doc:"Optional."`
}

type limits struct {
	Requests int `yaml:"requests" default:"7" min:"0" max:"9" restart:"yes" doc:"An integer."`
	Failures int `yaml:"failures" default:"8" min:"0" max:"9" doc:"An integer."`
}

// decode decodes a text. The error has the faults of the file as a whole, or those of its values.
func decode(text, dir string) (f file, err error) {
	doc, err := engine.Decode("f.yaml", []byte(text), dir, &f)
	if err == nil {
		err = doc.Err()
	}
	return f, err
}

func mustDecode(t *testing.T, text, dir string) file {
	t.Helper()
	f, err := decode(text, dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// rejection is a text and its faults.
type rejection struct {
	name, text string
	want       string // without "f.yaml:" at the beginning of its lines
}

func (r *rejection) check(t *testing.T) {
	t.Helper()
	_, err := decode(r.text, ".")
	want := "f.yaml:" + strings.ReplaceAll(r.want, "\n", "\nf.yaml:")
	if got := fmt.Sprint(err); got != want {
		t.Errorf("error\n%s\nwant\n%s", got, want)
	}
}
