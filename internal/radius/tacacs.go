package radius

import "layeh.com/radius/rfc2865"

// The services of network sessions in records of TACACS+ (RFC 8907 section 8.2), by Framed-Protocol.
var framedServices = map[uint32]string{
	uint32(rfc2865.FramedProtocol_Value_PPP): "ppp", uint32(rfc2865.FramedProtocol_Value_SLIP): "slip", uint32(rfc2865.FramedProtocol_Value_ARAP): "arap",
}

// The protocols of connections in records of TACACS+ (RFC 8907 section 8.2), by Login-Service.
var loginProtocols = map[uint32]string{
	uint32(rfc2865.LoginService_Value_Telnet): "telnet", uint32(rfc2865.LoginService_Value_Rlogin): "rlogin",
	uint32(rfc2865.LoginService_Value_LAT): "lat", uint32(rfc2865.LoginService_Value_X25PAD): "pad",
}

// FramedService returns the service of a network session as TACACS+ names it. It is ppp unless
// Framed-Protocol has another one; known reports whether Framed-Protocol says so.
func (a Attributes) FramedService() (name string, known bool) {
	n, ok := a.Uint32(FramedProtocol)
	if name, known = framedServices[n]; ok && known {
		return name, true
	}
	return "ppp", false
}

// UnknownProtocol is the protocol of a connection for which TACACS+ has no name (RFC 8907 section 8.2).
const UnknownProtocol = "unknown"

// LoginProtocol returns the protocol of a connection as TACACS+ names it; ok is false without a
// Login-Service.
func (a Attributes) LoginProtocol() (name string, ok bool) {
	n, ok := a.Uint32(LoginService)
	if !ok {
		return "", false
	}
	if name, known := loginProtocols[n]; known {
		return name, true
	}
	return UnknownProtocol, true
}

// IsAdministrative reports whether Service-Type lets the user type privileged commands (RFC 2865
// section 5.6), which Cisco IOS has at level 15.
func (a Attributes) IsAdministrative() bool {
	switch n, _ := a.Uint32(ServiceType); rfc2865.ServiceType(n) {
	case rfc2865.ServiceType_Value_AdministrativeUser, rfc2865.ServiceType_Value_CallbackAdministrative:
		return true
	}
	return false
}
