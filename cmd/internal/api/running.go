package api

// RunningConfig is the configuration in effect. It has no secrets.
type RunningConfig struct {
	File string `json:"file"` // name of the configuration file
	// Lines are the settings of the file and the defaults of the others, as YAML. Every secret is
	// "<secret>".
	Lines []ConfigLine `json:"lines"`
	// Managed is what SNMP managers have changed of the servers.
	Managed ManagedServers `json:"managed"`
}

// ConfigLine is a line of YAML.
type ConfigLine struct {
	Text    string `json:"text"` // with indentation, without a newline
	Default bool   `json:"default,omitempty"`
}
