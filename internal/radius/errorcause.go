package radius

import (
	"fmt"

	"layeh.com/radius/rfc3576"
	"layeh.com/radius/rfc5176"
)

// ErrorCauseType is the attribute with the reason of a refusal.
const ErrorCauseType = Type(rfc3576.ErrorCause_Type)

// ErrorCause is the value of an Error-Cause (RFC 5176 section 3.5); 0 means that there is none.
type ErrorCause uint32

// Error-Cause values that this program reacts to, or sends.
const (
	UnsupportedAttribute       = ErrorCause(rfc3576.ErrorCause_Value_UnsupportedAttribute)
	MissingAttribute           = ErrorCause(rfc3576.ErrorCause_Value_MissingAttribute)
	NASIdentificationMismatch  = ErrorCause(rfc3576.ErrorCause_Value_NASIdentificationMismatch)
	InvalidRequest             = ErrorCause(rfc3576.ErrorCause_Value_InvalidRequest)
	UnsupportedExtension       = ErrorCause(rfc3576.ErrorCause_Value_UnsupportedExtension)
	InvalidAttributeValue      = ErrorCause(rfc5176.ErrorCause_Value_InvalidAttributeValue)
	AdministrativelyProhibited = ErrorCause(rfc3576.ErrorCause_Value_AdministrativelyProhibited)
	RequestNotRoutable         = ErrorCause(rfc3576.ErrorCause_Value_ProxyRequestNotRoutable)
	SessionContextNotFound     = ErrorCause(rfc3576.ErrorCause_Value_SessionContextNotFound)
	ResourcesUnavailable       = ErrorCause(rfc3576.ErrorCause_Value_ResourcesUnavailable)
	MultipleSessions           = ErrorCause(rfc5176.ErrorCause_Value_MultipleSessionSelectionUnsupported)
)

// String returns number and name.
func (c ErrorCause) String() string {
	if name := Standard().ValueName(ErrorCauseType, uint32(c)); name != "" {
		return fmt.Sprintf("%d (%s)", uint32(c), name)
	}
	return fmt.Sprint(uint32(c))
}
