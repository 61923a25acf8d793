package wire

// PDUSize is the size of the PDU that [Frame.ClosePDU] makes of n octets of variable bindings. All
// sizes are in octets.
func PDUSize(n int, requestID, errorStatus, errorIndex int32) int {
	return elementSize(elementSize(n) + int32Size(requestID) + int32Size(errorStatus) + int32Size(errorIndex))
}

// CommunitySize is the size of the message that [Frame.CloseCommunity] makes of a PDU and a
// community of these sizes.
func CommunitySize(pdu, community int) int {
	return elementSize(int32Size(int32(Version2c)) + elementSize(community) + pdu)
}

// ScopedSize is the size of the ScopedPDU that [Frame.CloseScoped] makes of a PDU, contextEngineID
// and contextName of these sizes.
func ScopedSize(pdu, contextEngineID, contextName int) int {
	return elementSize(elementSize(contextEngineID) + elementSize(contextName) + pdu)
}

// OctetsSize is the size of the OCTET STRING that [Frame.CloseOctets] makes of n octets.
func OctetsSize(n int) int { return elementSize(n) }

// V3Size is the size of the message that [Frame.CloseV3] makes of msgData of that size.
func V3Size(data int, h *HeaderV3, p *SecurityParameters) int {
	global := int32Size(h.ID) + int32Size(h.MaxSize) + elementSize(1) + int32Size(int32(h.Model))
	security := elementSize(len(p.EngineID)) + int32Size(p.Boots) + int32Size(p.Time) + elementSize(len(p.UserName)) +
		elementSize(len(p.AuthenticationParameters)) + elementSize(len(p.PrivacyParameters))
	return elementSize(int32Size(int32(Version3)) + elementSize(global) + elementSize(elementSize(security)) + data)
}

// elementSize is the size of an element with n octets of content.
func elementSize(n int) int { return headerSize(n) + n }

// int32Size is the size of an INTEGER.
func int32Size(n int32) int { return 2 + integerSize(int64(n)) }
