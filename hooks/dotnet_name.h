/* dotnet_name.h - a distinguished name as .NET's X509Certificate2.Issuer prints it on
 * Windows: reversed RDN order, "S" for stateOrProvince, "E" for email, quoting by .NET's
 * rules (dotnet/runtime X500NameEncoder). Not OpenSSL's X509_NAME_print_ex. */
#ifndef HOOKS_DOTNET_NAME_H
#define HOOKS_DOTNET_NAME_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the name to `out`. `reversed`: last RDN first, which is what .NET's Issuer and
 * tls.json have; false gives the encoded order. An undecodable name appends nothing. */
int dotnet_name(const X509_NAME *name, bool reversed, struct buf *out, struct err *err);

#endif
