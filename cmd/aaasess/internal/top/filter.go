package top

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

// withoutOrder returns the filter and the search of a query.
func withoutOrder(q api.Query) api.Query { return api.Query{Filter: q.Filter, Search: q.Search} }

// filterWords returns a filter as it is typed: key=value, separated by spaces. A value with a space,
// a quote or an unprintable character is quoted.
func filterWords(q api.Query) string {
	var words []string
	for key, list := range withoutOrder(q).Values() {
		for _, value := range list {
			if strings.ContainsAny(value, ` "`) || human.Printable(value) != value {
				value = strconv.Quote(value)
			}
			words = append(words, key+"="+value)
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// parseFilterWords parses what filterWords returns. A word without a key is a user.
func parseFilterWords(text string) (api.Query, error) {
	values := url.Values{}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		key, value := "user", rest
		if i := strings.IndexAny(rest, `= "`); i > 0 && rest[i] == '=' {
			key, value = rest[:i], rest[i+1:]
		}
		if quoted, err := strconv.QuotedPrefix(value); err == nil && quoted[0] == '"' {
			rest = value[len(quoted):]
			value, _ = strconv.Unquote(quoted)
		} else {
			value, rest, _ = strings.Cut(value, " ")
		}
		if key == "sort" || key == "offset" || key == "limit" {
			return api.Query{}, fmt.Errorf("%w: %s is no filter", api.ErrQuery, key)
		}
		values.Add(key, value)
	}
	return api.ParseQuery(values)
}
