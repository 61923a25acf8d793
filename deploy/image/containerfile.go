package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// instruction is one instruction of a Containerfile.
type instruction struct {
	line int
	name string // in capitals
	rest string
}

// parse splits a Containerfile into its instructions.
func parse(text string) (list []instruction, err error) {
	open := false // the last instruction continues in this line
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		line, continued := strings.CutSuffix(line, `\`)
		if open {
			list[len(list)-1].rest += strings.TrimSpace(line)
		} else {
			name, rest, _ := strings.Cut(line, " ")
			list = append(list, instruction{i + 1, strings.ToUpper(name), strings.TrimLeft(rest, " ")})
		}
		open = continued
	}
	if open {
		return nil, fmt.Errorf("line %d: the last line is continued", list[len(list)-1].line)
	}
	return list, nil
}

// expand replaces $NAME and ${NAME}. A name without a value is an error.
func expand(text string, values map[string]string) (string, error) {
	var missing []string
	out := os.Expand(text, func(name string) string {
		value, ok := values[name]
		if !ok {
			missing = append(missing, name)
		}
		return value
	})
	if missing != nil {
		return "", fmt.Errorf("no value for %s", strings.Join(missing, ", "))
	}
	return out, nil
}

// pair splits NAME=VALUE, where the value may be in double quotes.
func pair(text string) (name, value string, err error) {
	name, value, ok := strings.Cut(text, "=")
	if strings.HasPrefix(value, `"`) {
		value, err = strconv.Unquote(value)
	} else if strings.ContainsAny(value, ` "'`) {
		ok = false
	}
	if !ok || name == "" || err != nil {
		return "", "", fmt.Errorf("%q is not one NAME=VALUE or NAME=\"VALUE\"", text)
	}
	return name, value, nil
}

// words decodes a list in JSON. The other form of a command needs a shell, which the image does not
// have.
func words(text string) (list []string, err error) {
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("%s is not a list in JSON", text)
	}
	return list, nil
}

// owner decodes UID:GID.
func owner(text string) (uid, gid int, err error) {
	u, g, _ := strings.Cut(text, ":")
	if uid, err = strconv.Atoi(u); err == nil {
		gid, err = strconv.Atoi(g)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("%q is not UID:GID in numbers", text)
	}
	return uid, gid, nil
}
