package strictyaml

import "reflect"

// Wants returns what the value of a key with a type and tag must be, in the words of the errors: "a
// duration such as 5s", "trap or inform". For a list it is what an entry must be. For a mapping it
// is "".
func (e *Engine) Wants(t reflect.Type, tag reflect.StructTag) string {
	if t == secretType {
		return "a secret"
	}
	if s, ok := e.scalarOf(t); ok {
		return s.wanted(tag)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return e.Wants(t.Elem(), tag)
	case reflect.Slice:
		return e.Wants(t.Elem(), each(tag))
	}
	return ""
}
