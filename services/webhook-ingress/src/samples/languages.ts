// Signing samples: whole programs that send one signed event, for a partner to copy. The secret comes from the
// environment, never from here. Their ids are letters and digits, whatever a partner's scheme sets them apart by. Made
// from the same recipe as the verifier's own scheme, and each is run by a test where its runtime exists.
import type { Example, Recipe } from './example.ts';

export const languages = ['curl', 'node', 'python', 'go', 'java', 'php'] as const;
export type Language = (typeof languages)[number];

export type Sample = { recipe: Recipe; example: Example; url: string };

type Renderer = (sample: Sample) => string;

const q = (text: string) => JSON.stringify(text);
/** All headers, with the names of the recipe's placeholders left in the values. */
const headersOf = ({ recipe, example }: Sample) =>
  Object.entries({ 'content-type': example.contentType, ...example.headers, ...recipe.headers });
/** A template as an expression of the language: literal parts and variables joined by `plus`. */
function joined(
  template: string,
  {
    variable,
    plus,
    literal = q,
  }: { variable: (name: string) => string; plus: string; literal?: (text: string) => string },
) {
  const parts = template.split(/(\{(?:id|timestamp|signature|body)\})/).filter(part => part !== '');
  const expressions = parts.map(part => (/^\{\w+\}$/.test(part) ? variable(part.slice(1, -1)) : literal(part)));
  return expressions.length > 0 ? expressions.join(plus) : literal('');
}

const node: Renderer = sample => {
  const { recipe, example, url } = sample;
  const expression = (template: string) => joined(template, { variable: name => name, plus: ' + ' });
  const strip = recipe.secretPrefix === '' ? '' : `.replace(${q(recipe.secretPrefix)}, '')`;
  const signing =
    recipe.kind === 'hmac'
      ? `const key = Buffer.from(process.env.SECRET${strip}, '${recipe.secretEncoding}');
const signature = createHmac('${recipe.digest}', key).update(${expression(recipe.signed)}).digest('${recipe.encoding}');`
      : `// The 32-byte private key in base64; for whsk_ keys its first 32 bytes.
const seed = Buffer.from(process.env.SECRET${strip}, 'base64').subarray(0, 32);
const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
const signature = sign(null, Buffer.from(${expression(recipe.signed)}), key).toString('${recipe.encoding}');`;
  return `// Node.js 18 or newer: SECRET=... node sample.mjs
import { ${recipe.kind === 'hmac' ? 'createHmac' : 'createPrivateKey, sign'}, randomBytes } from 'node:crypto';

const id = 'evt' + randomBytes(16).toString('hex');
const timestamp = String(Math.floor(Date.now() / 1000)${recipe.timestampFactor === 1 ? '' : ` * ${recipe.timestampFactor}`});
const body = ${expression(example.body)};
${signing}
const response = await fetch(${q(url)}, {
  method: 'POST',
  headers: {
${headersOf(sample)
  .map(([name, value]) => `    ${q(name)}: ${expression(value)},`)
  .join('\n')}
  },
  body,
});
console.log(response.status, await response.text());
`;
};

const python: Renderer = sample => {
  const { recipe, example, url } = sample;
  const expression = (template: string) => joined(template, { variable: name => name, plus: ' + ' });
  const strip = recipe.secretPrefix === '' ? '' : `.removeprefix(${q(recipe.secretPrefix)})`;
  const secret = `os.environ["SECRET"]${strip}`;
  const encoded = {
    hex: 'mac.hex()',
    base64: 'base64.b64encode(mac).decode()',
    base64url: 'base64.urlsafe_b64encode(mac).decode().rstrip("=")',
  };
  const key = { utf8: `${secret}.encode()`, hex: `bytes.fromhex(${secret})`, base64: `base64.b64decode(${secret})` };
  const signing =
    recipe.kind === 'hmac'
      ? `mac = hmac.new(${key[recipe.secretEncoding]}, (${expression(recipe.signed)}).encode(), hashlib.${recipe.digest}).digest()`
      : `# pip install cryptography. The 32-byte private key in base64; for whsk_ keys its first 32 bytes.
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(${secret})[:32])
mac = key.sign((${expression(recipe.signed)}).encode())`;
  return `# Python 3.9 or newer: SECRET=... python3 sample.py
import base64, hashlib, hmac, os, time, urllib.error, urllib.request, uuid

id = "evt" + uuid.uuid4().hex
timestamp = str(int(time.time())${recipe.timestampFactor === 1 ? '' : ` * ${recipe.timestampFactor}`})
body = ${expression(example.body)}
${signing}
signature = ${encoded[recipe.encoding]}
request = urllib.request.Request(${q(url)}, data=body.encode(), method="POST", headers={
${headersOf(sample)
  .map(([name, value]) => `    ${q(name)}: ${expression(value)},`)
  .join('\n')}
})
try:
    with urllib.request.urlopen(request) as response:
        print(response.status, response.read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
`;
};

const curl: Renderer = sample => {
  const { recipe, example, url } = sample;
  const shell = (text: string) => `'${text.replaceAll("'", `'"'"'`)}'`;
  const expression = (template: string) =>
    joined(template, { variable: name => `"$${name}"`, plus: '', literal: shell });
  const hex = `od -An -v -tx1 | tr -d ' \\n'`;
  const key = {
    utf8: `printf '%s' "$SECRET" | ${hex}`,
    hex: `printf '%s' "$SECRET"`,
    base64: `printf '%s' "\${SECRET#${recipe.secretPrefix}}" | openssl base64 -d -A | ${hex}`,
  };
  const encoded = { hex, base64: 'openssl base64 -A', base64url: `openssl base64 -A | tr '+/' '-_' | tr -d '='` };
  const signing =
    recipe.kind === 'hmac'
      ? `key=$(${key[recipe.secretEncoding]})
signature=$(printf '%s' ${expression(recipe.signed)} | openssl dgst -${recipe.digest} -mac HMAC -macopt "hexkey:$key" -binary | ${encoded[recipe.encoding]})`
      : `# The 32-byte private key in base64; for whsk_ keys its first 32 bytes.
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
{ printf '302e020100300506032b657004220420' | sed 's/../\\\\x&/g' | xargs -0 printf '%b'; printf '%s' "\${SECRET#${recipe.secretPrefix}}" | openssl base64 -d -A | head -c 32; } > "$work/key"
printf '%s' ${expression(recipe.signed)} > "$work/signed"
signature=$(openssl pkeyutl -sign -rawin -inkey "$work/key" -keyform DER -in "$work/signed" | ${encoded[recipe.encoding]})`;
  return `#!/bin/sh
# curl and OpenSSL: SECRET=... sh sample.sh
set -eu
id="evt$(openssl rand -hex 16)"
timestamp=$(($(date +%s)${recipe.timestampFactor === 1 ? '' : ` * ${recipe.timestampFactor}`}))
body=${expression(example.body)}
${signing}
curl -sS -w '\\n%{http_code}\\n' -X POST ${shell(url)} \\
${headersOf(sample)
  .map(([name, value]) => `  -H ${shell(`${name}: `)}${expression(value)} \\`)
  .join('\n')}
  --data-binary "$body"
`;
};

const go: Renderer = sample => {
  const { recipe, example, url } = sample;
  const expression = (template: string) => joined(template, { variable: name => name, plus: ' + ' });
  const strip =
    recipe.secretPrefix === ''
      ? 'os.Getenv("SECRET")'
      : `strings.TrimPrefix(os.Getenv("SECRET"), ${q(recipe.secretPrefix)})`;
  const key = {
    utf8: `[]byte(${strip})`,
    hex: `must(hex.DecodeString(${strip}))`,
    base64: `must(base64.StdEncoding.DecodeString(${strip}))`,
  };
  const digest = {
    sha256: ['crypto/sha256', 'sha256.New'],
    sha384: ['crypto/sha512', 'sha512.New384'],
    sha512: ['crypto/sha512', 'sha512.New'],
  }[recipe.digest as 'sha256' | 'sha384' | 'sha512'];
  const encoded = {
    hex: 'hex.EncodeToString(mac)',
    base64: 'base64.StdEncoding.EncodeToString(mac)',
    base64url: 'base64.RawURLEncoding.EncodeToString(mac)',
  };
  const signing =
    recipe.kind === 'hmac'
      ? `	hash := hmac.New(${digest[1]}, ${key[recipe.secretEncoding]})
	hash.Write([]byte(${expression(recipe.signed)}))
	mac := hash.Sum(nil)`
      : `	// The 32-byte private key in base64; for whsk_ keys its first 32 bytes.
	seed := must(base64.StdEncoding.DecodeString(${strip}))[:32]
	mac := ed25519.Sign(ed25519.NewKeyFromSeed(seed), []byte(${expression(recipe.signed)}))`;
  const code = `func must(value []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	id := "evt" + hex.EncodeToString(must(random()))
	timestamp := strconv.FormatInt(time.Now().Unix()${recipe.timestampFactor === 1 ? '' : `*${recipe.timestampFactor}`}, 10)
	body := ${expression(example.body)}
${signing}
	signature := ${encoded[recipe.encoding]}
	_, _ = id, timestamp
	request, err := http.NewRequest("POST", ${q(url)}, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
${headersOf(sample)
  .map(([name, value]) => `	request.Header.Set(${q(name)}, ${expression(value)})`)
  .join('\n')}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	fmt.Println(response.StatusCode, string(must(io.ReadAll(response.Body))))
}

func random() ([]byte, error) {
	bytes := make([]byte, 16)
	_, err := rand.Read(bytes)
	return bytes, err
}
`;
  const packages = ['crypto/rand', 'encoding/hex', 'fmt', 'io', 'net/http', 'os', 'strconv', 'strings', 'time'];
  if (/base64\./.test(code)) packages.push('encoding/base64');
  packages.push(...(recipe.kind === 'hmac' ? ['crypto/hmac', digest[0] ?? ''] : ['crypto/ed25519']));
  return `// Go 1.20 or newer: SECRET=... go run sample.go
package main

import (
${packages
  .toSorted()
  .map(name => `	${q(name)}`)
  .join('\n')}
)

${code}`;
};

const java: Renderer = sample => {
  const { recipe, example, url } = sample;
  const expression = (template: string) => joined(template, { variable: name => name, plus: ' + ' });
  const strip = recipe.secretPrefix === '' ? '' : `.replaceFirst("^${recipe.secretPrefix}", "")`;
  const secret = `System.getenv("SECRET")${strip}`;
  const key = {
    utf8: `${secret}.getBytes(StandardCharsets.UTF_8)`,
    hex: `HexFormat.of().parseHex(${secret})`,
    base64: `Base64.getDecoder().decode(${secret})`,
  };
  const algorithm = `Hmac${recipe.digest.toUpperCase()}`;
  const encoded = {
    hex: 'HexFormat.of().formatHex(mac)',
    base64: 'Base64.getEncoder().encodeToString(mac)',
    base64url: 'Base64.getUrlEncoder().withoutPadding().encodeToString(mac)',
  };
  const signing =
    recipe.kind === 'hmac'
      ? `        Mac hmac = Mac.getInstance("${algorithm}");
        hmac.init(new SecretKeySpec(${key[recipe.secretEncoding]}, "${algorithm}"));
        byte[] mac = hmac.doFinal((${expression(recipe.signed)}).getBytes(StandardCharsets.UTF_8));`
      : `        // The 32-byte private key in base64; for whsk_ keys its first 32 bytes.
        byte[] seed = Arrays.copyOf(Base64.getDecoder().decode(${secret}), 32);
        PrivateKey key = KeyFactory.getInstance("Ed25519").generatePrivate(new EdECPrivateKeySpec(NamedParameterSpec.ED25519, seed));
        Signature signer = Signature.getInstance("Ed25519");
        signer.initSign(key);
        signer.update((${expression(recipe.signed)}).getBytes(StandardCharsets.UTF_8));
        byte[] mac = signer.sign();`;
  return `// Java 17 or newer: SECRET=... java Sample.java
import java.net.URI;
import java.net.http.*;
import java.nio.charset.StandardCharsets;
import java.security.*;
import java.security.spec.*;
import java.util.*;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Sample {
    public static void main(String[] arguments) throws Exception {
        String id = "evt" + UUID.randomUUID().toString().replace("-", "");
        String timestamp = String.valueOf(System.currentTimeMillis() / 1000${recipe.timestampFactor === 1 ? '' : ` * ${recipe.timestampFactor}`});
        String body = ${expression(example.body)};
${signing}
        String signature = ${encoded[recipe.encoding]};
        HttpRequest request = HttpRequest.newBuilder(URI.create(${q(url)}))
${headersOf(sample)
  .map(([name, value]) => `            .header(${q(name)}, ${expression(value)})`)
  .join('\n')}
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(response.statusCode() + " " + response.body());
    }
}
`;
};

const php: Renderer = sample => {
  const { recipe, example, url } = sample;
  const literal = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const expression = (template: string) => joined(template, { variable: name => `$${name}`, plus: ' . ', literal });
  const secret =
    recipe.secretPrefix === '' ? `getenv('SECRET')` : `preg_replace('/^${recipe.secretPrefix}/', '', getenv('SECRET'))`;
  const key = { utf8: secret, hex: `hex2bin(${secret})`, base64: `base64_decode(${secret})` };
  const encoded = {
    hex: 'bin2hex($mac)',
    base64: 'base64_encode($mac)',
    base64url: `rtrim(strtr(base64_encode($mac), '+/', '-_'), '=')`,
  };
  const signing =
    recipe.kind === 'hmac'
      ? `$mac = hash_hmac('${recipe.digest}', ${expression(recipe.signed)}, ${key[recipe.secretEncoding]}, true);`
      : `// The 32-byte private key in base64; for whsk_ keys its first 32 bytes.
$pair = sodium_crypto_sign_seed_keypair(substr(base64_decode(${secret}), 0, 32));
$mac = sodium_crypto_sign_detached(${expression(recipe.signed)}, sodium_crypto_sign_secretkey($pair));`;
  return `<?php // PHP 8 or newer: SECRET=... php sample.php
$id = 'evt' . bin2hex(random_bytes(16));
$timestamp = (string) (time()${recipe.timestampFactor === 1 ? '' : ` * ${recipe.timestampFactor}`});
$body = ${expression(example.body)};
${signing}
$signature = ${encoded[recipe.encoding]};
$context = stream_context_create(['http' => [
    'method' => 'POST',
    'ignore_errors' => true,
    'content' => $body,
    'header' => [
${headersOf(sample)
  .map(([name, value]) => `        ${literal(`${name}: `)} . ${expression(value)},`)
  .join('\n')}
    ],
]]);
echo explode(' ', ($answer = file_get_contents(${literal(url)}, false, $context)) === false ? '- 000' : $http_response_header[0])[1], ' ', $answer, "\\n";
`;
};

const renderers: Record<Language, Renderer> = { curl, node, python, go, java, php };

export function render(language: Language, sample: Sample): string {
  return renderers[language](sample);
}
