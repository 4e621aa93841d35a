/* plugins.c - win-acme's plugins by their GUIDs (src/main.lib/Plugins, src/plugin.*). The
 * GUID is the only thing that tells them apart. */
#include "daemon/winacme/winacme.h"

static const struct {
	const char *guid, *name;
	enum winacme_plugin plugin;
} plugins[] = {
	{ "e239db3b-b42f-48aa-b64f-46d4f3e9941b", "names given by hand", PLUGIN_MANUAL },
	{ "5c3db0fb-840b-469f-b5a7-0635d8e9a93d", "a CSR file", PLUGIN_OTHER },
	{ "54deb3ee-b5df-4381-8485-fe386054055b", "names from IIS bindings",
	  PLUGIN_OTHER },
	{ "2f5dd428-0f5d-4c8a-8fd0-56fc1b5985ce", "an IIS binding", PLUGIN_OTHER },
	{ "d7940b23-f570-460e-ab15-2c822a79009b", "an IIS site", PLUGIN_OTHER },
	{ "cdd79a68-4a87-4039-bee8-5a0ebdca41cb", "IIS sites", PLUGIN_OTHER },

	{ "b705fa7c-1152-4436-8913-e433d7f84c82", "one certificate", PLUGIN_SINGLE },
	{ "874a86e4-29c7-4294-9ab6-6908866847a0", "a certificate for each host",
	  PLUGIN_OTHER },
	{ "b7c331d4-d875-453e-b83a-2b537ca12535", "a certificate for each domain",
	  PLUGIN_OTHER },
	{ "74a42b2d-8eaa-4f40-ab6a-f55304254143", "a certificate for each site",
	  PLUGIN_OTHER },

	{ "b9060d4b-c2d3-49ac-b37f-962e7c3cbe9d", "an RSA key", PLUGIN_RSA },
	{ "9aadcf71-5241-4c4f-aee1-bfe3f6be3489", "an EC key", PLUGIN_EC },

	{ "c7d5e050-9363-4ba1-b3a8-931b31c618b7", "http-01, self-hosted",
	  PLUGIN_SELF_HOSTING },
	{ "1c77b3a4-5310-4c46-92c6-00d866e84d6b", "http-01 by files",
	  PLUGIN_FILE_SYSTEM },
	{ "bc27d719-dcf2-41ff-bf08-54db7ea49c48", "http-01 by FTP", PLUGIN_OTHER },
	{ "048aa2e7-2bce-4d3e-b731-6e0ed8b8170d", "http-01 by SFTP", PLUGIN_OTHER },
	{ "7e191d0e-30d1-47b3-ae2e-442499d33e16", "http-01 by WebDAV", PLUGIN_OTHER },
	{ "11ba2994-ea59-4f2f-b9eb-0eaa2fa3cbfa", "http-01 by REST", PLUGIN_OTHER },
	{ "a1565064-b208-4467-8ca1-1bd3c08aa500", "tls-alpn-01", PLUGIN_OTHER },
	{ "8f1da72e-f727-49f0-8546-ef69e5ecec32", "dns-01 by script", PLUGIN_OTHER },
	{ "e45d62b9-f9a8-441e-b95f-c5ee0dcd8040", "dns-01 by hand", PLUGIN_OTHER },
	{ "a37b41dc-b45a-42fe-8d81-82ca409a5491", "no validation", PLUGIN_OTHER },
	{ "c13acc1b-7571-432b-9652-7a68a5f506c5", "dns-01 by acme-dns", PLUGIN_OTHER },
	{ "ed5dc9d1-739c-4f6a-854f-238bf65b63ee", "dns-01 by RFC 2136", PLUGIN_OTHER },
	{ "aa57b028-45fb-4aca-9cac-a63d94c76b4a", "dns-01 by Azure", PLUGIN_OTHER },
	{ "4e5dc595-45c7-4461-929a-8f96a0c96b3d", "dns-01 by Route 53", PLUGIN_OTHER },
	{ "73af2c2e-4cf1-4198-a4c8-1129003cfb75", "dns-01 by Cloudflare", PLUGIN_OTHER },
	{ "b61505e9-1709-43fd-996f-c74c3686286c", "dns-01 by Google", PLUGIN_OTHER },
	{ "7176cc8f-ba08-4b07-aa39-2f5d012c1d5a", "dns-01 by Hetzner", PLUGIN_OTHER },
	{ "966c4c3d-1572-44c7-9134-5e2bc8fa021d", "dns-01 by GoDaddy", PLUGIN_OTHER },
	{ "c49a7a9a-f8c9-494a-a6a4-c6b9daae7d9d", "dns-01 by TransIP", PLUGIN_OTHER },
	{ "1a87d670-3fa3-4a2a-bb10-491d48feb5db", "dns-01 by DigitalOcean",
	  PLUGIN_OTHER },
	{ "d1401d1e-b925-407d-a38b-924d67b2d1b5", "dns-01 by Infomaniak", PLUGIN_OTHER },
	{ "12fdc54c-be30-4458-8066-2c1c565fe2d9", "dns-01 by Linode", PLUGIN_OTHER },

	{ "e30adc8e-d756-4e16-a6f2-450f784b1a97", "the Windows certificate store",
	  PLUGIN_CERTIFICATE_STORE },
	{ "95ee94e7-c8e2-40e6-a26f-c9fc3afa9fa5", "the user's certificate store",
	  PLUGIN_OTHER },
	{ "2a2c576f-7637-4ade-b8db-e8613b0bb33e", "a PFX file", PLUGIN_OTHER },
	{ "e57c70e4-cd60-4ba6-80f6-a41703e21031", "PEM files", PLUGIN_PEM_FILES },
	{ "af1f77b6-4e7b-4f96-bba5-c2eeb4d0dd42", "IIS central certificates",
	  PLUGIN_OTHER },
	{ "221310a3-14d8-4478-a0f1-3c6d90f2ea51", "a P7B file", PLUGIN_OTHER },
	{ "dbfa91e2-28c0-4b37-857c-df6575dbb388", "Azure Key Vault", PLUGIN_OTHER },
	{ "cfdd7caa-ba34-4e9e-b9de-2a3d64c4f4ec", "no store", PLUGIN_NO_STORE },

	{ "3bb22c70-358d-4251-86bd-11858363d913", "a script", PLUGIN_SCRIPT },
	{ "ea6a5be3-f8de-4d27-a6bd-750b619b2ee2", "IIS bindings", PLUGIN_OTHER },
	{ "13058a79-5084-48af-b047-634e0ee222f4", "an IIS FTP site", PLUGIN_OTHER },
	{ "aecc502c-5f75-43d2-b578-f95d50c79ea1", "no installation",
	  PLUGIN_NO_INSTALLATION },
};

enum winacme_plugin winacme_plugin(const char *guid, const char **ret_name)
{
	*ret_name = "a plugin that certrenewd does not know";
	for (size_t i = 0; guid && i < sizeof(plugins) / sizeof(*plugins); i++) {
		if (!str_equal_nocase(guid, plugins[i].guid))
			continue;
		*ret_name = plugins[i].name;
		return plugins[i].plugin;
	}
	return PLUGIN_UNKNOWN;
}
