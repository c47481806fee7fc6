#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/crypto.h"
#include "bus/crypto_sign.h"

static void from_hex(const char *hex, uint8_t *out)
{
	for (size_t i = 0; hex[2 * i]; i++) {
		unsigned byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
}

static void expect_hex(const uint8_t *p, size_t n, const char *want)
{
	char hex[129];

	assert_true(n <= 64);
	bus_hex(p, n, hex);
	assert_string_equal(hex, want);
}

static void hashes_as_fips_180_4_says(void **state)
{
	static const struct {
		const char *text;
		const char *digest;
	} known[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	uint8_t out[BUS_SHA256_LEN];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(known); i++) {
		bus_sha256(known[i].text, strlen(known[i].text), out);
		expect_hex(out, sizeof(out), known[i].digest);
	}
}

static void hashes_a_stream_like_a_whole(void **state)
{
	struct bus_sha256_stream *s = bus_sha256_new();
	uint8_t out[BUS_SHA256_LEN];
	char a[997];

	(void)state;
	memset(a, 'a', sizeof(a));
	for (size_t left = 1000000; left > 0;) { /* FIPS 180-4: one million 'a' */
		size_t n = left < sizeof(a) ? left : sizeof(a);

		bus_sha256_add(s, a, n);
		left -= n;
	}
	bus_sha256_end(&s, out);
	assert_null(s);
	expect_hex(out, sizeof(out), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231; keys shorter than ours, which HMAC fills up with zeros just the same. */
static const struct {
	const char *key;
	const char *data;
	const char *mac;
} rfc4231[] = {
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
	  "dd",
	  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	{ "0102030405060708090a0b0c0d0e0f10111213141516171819",
	  "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
	  "cd",
	  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
};

static void authenticates_as_rfc_4231_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < BUS_LEN(rfc4231); i++) {
		uint8_t key[BUS_KEY_LEN] = { 0 };
		uint8_t data[64];
		uint8_t out[BUS_SHA256_LEN];

		from_hex(rfc4231[i].key, key);
		from_hex(rfc4231[i].data, data);
		bus_hmac_sha256(key, data, strlen(rfc4231[i].data) / 2, out);
		expect_hex(out, sizeof(out), rfc4231[i].mac);
	}
}

static void makes_a_pseudonym_of_the_first_half_of_the_hmac(void **state)
{
	(void)state;
	for (size_t i = 0; i < BUS_LEN(rfc4231); i++) {
		uint8_t key[BUS_KEY_LEN] = { 0 };
		uint8_t data[64];
		char hex[BUS_PSEUDONYM_LEN + 1];
		char want[BUS_PSEUDONYM_LEN + 1];
		struct bus_pseudonym *p;

		from_hex(rfc4231[i].key, key);
		from_hex(rfc4231[i].data, data);
		snprintf(want, sizeof(want), "%.32s", rfc4231[i].mac);
		p = bus_pseudonym_new(key);
		for (int again = 0; again < 3; again++) { /* one value must not leave anything for the next */
			bus_pseudonym_make(
			    p, "", (struct bus_str){ (const char *)data, strlen(rfc4231[i].data) / 2 }, hex);
			assert_string_equal(hex, want);
		}
		bus_pseudonym_free(&p);
		assert_null(p);
		bus_pseudonym_free(&p);
	}
}

static void tells_the_same_digits_of_two_domains_apart(void **state)
{
	const uint8_t key[BUS_KEY_LEN] = { 'J', 'e', 'f', 'e' };
	struct bus_pseudonym *p = bus_pseudonym_new(key);
	char a[BUS_PSEUDONYM_LEN + 1];
	char b[BUS_PSEUDONYM_LEN + 1];

	(void)state;
	bus_pseudonym_make(p, "what do ya ", BUS_STR("want for nothing?"), a);
	assert_string_equal(
	    a, "5bdcc146bf60754e6a042426089575c7"); /* RFC 4231: the domain stands before the value */
	bus_pseudonym_make(p, "", BUS_STR("want for nothing?"), b);
	assert_string_not_equal(a, b);
	bus_pseudonym_free(&p);
}

/* Cases 13 and 16 of the GCM specification (McGrew and Viega), which NIST SP 800-38D took over. */
static void opens_what_the_gcm_specification_sealed(void **state)
{
	static const char plain[] = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
				    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
	static const char sealed_hex[] = "01cafebabefacedbaddecaf888"
					 "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
					 "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
					 "76fc6ece0f4e1768cddf8853bb2d551b";
	static const char empty_hex[] = "01000000000000000000000000530f8afbc74536b9a963b4f1c4cb738b";
	uint8_t key[BUS_KEY_LEN] = { 0 };
	uint8_t sealed[128];
	uint8_t want[64];
	uint8_t aad[20];
	struct bus_buf out = { 0 };

	(void)state;
	from_hex(empty_hex, sealed);
	assert_int_equal(
	    bus_open(key, BUS_STR(""), (struct bus_str){ (char *)sealed, strlen(empty_hex) / 2 }, &out, NULL),
	    BUS_OK);
	assert_int_equal(out.n, 0);
	from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key);
	from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad);
	from_hex(sealed_hex, sealed);
	from_hex(plain, want);
	assert_int_equal(bus_open(key, (struct bus_str){ (char *)aad, sizeof(aad) },
				  (struct bus_str){ (char *)sealed, strlen(sealed_hex) / 2 }, &out, NULL),
			 BUS_OK);
	assert_int_equal(out.n, 60);
	assert_memory_equal(out.p, want, 60);
	bus_buf_release(&out);
}

static void opens_only_what_was_sealed(void **state)
{
	const struct bus_str row = BUS_STR("one row, as it stood in the file");
	const struct bus_str aad = BUS_STR("dinkes/812");
	uint8_t key[BUS_KEY_LEN];
	struct bus_buf sealed = { 0 };
	struct bus_buf again = { 0 };
	struct bus_buf out = { 0 };
	struct bus_error err;

	(void)state;
	bus_random(key, sizeof(key));
	assert_int_equal(bus_seal(key, aad, row, &sealed, &err), BUS_OK);
	assert_int_equal(bus_seal(key, aad, row, &again, &err), BUS_OK);
	assert_int_equal(sealed.n, row.n + 1 + 12 + 16);
	assert_memory_not_equal(sealed.p, again.p, sealed.n);
	bus_buf_puts(&out, "before ");
	assert_int_equal(bus_open(key, aad, bus_buf_str(&sealed), &out, &err), BUS_OK);
	assert_string_equal(bus_buf_cstr(&out), "before one row, as it stood in the file");
	for (size_t i = 0; i < sealed.n; i++) {
		sealed.p[i] ^= 1;
		assert_int_not_equal(bus_open(key, aad, bus_buf_str(&sealed), &out, &err), BUS_OK);
		assert_int_equal(out.n, 7 + row.n);
		sealed.p[i] ^= 1;
	}
	for (size_t n = 0; n < sealed.n; n++)
		assert_int_not_equal(bus_open(key, aad, (struct bus_str){ sealed.p, n }, &out, &err), BUS_OK);
	assert_int_equal(bus_open(key, BUS_STR("dinkes/813"), bus_buf_str(&sealed), &out, &err), BUS_ECRYPTO);
	key[0] ^= 1;
	assert_int_equal(bus_open(key, aad, bus_buf_str(&sealed), &out, &err), BUS_ECRYPTO);
	bus_buf_release(&sealed);
	bus_buf_release(&again);
	bus_buf_release(&out);
}

static void compares_secrets(void **state)
{
	(void)state;
	assert_true(bus_equal_secret("abc", "abc", 3));
	assert_false(bus_equal_secret("abc", "abd", 3));
}

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_crypto.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void makes_a_key_file_once_and_reads_it(void **state)
{
	uint8_t a[BUS_KEY_LEN];
	uint8_t b[BUS_KEY_LEN];
	struct bus_error err;
	struct stat st;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/key", folder);
	assert_int_equal(bus_key_load(path, a, &err), BUS_ENOENT);
	assert_int_equal(bus_key_create(path, &err), BUS_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 65);
	assert_int_equal(bus_key_load(path, a, &err), BUS_OK);
	assert_int_equal(bus_key_create(path, &err), BUS_EEXIST);
	assert_int_equal(bus_key_load(path, b, &err), BUS_OK);
	assert_memory_equal(a, b, sizeof(a));
	chmod(path, 0644);
	assert_int_equal(bus_key_load(path, b, &err), BUS_EINVAL);
	assert_non_null(strstr(err.text, "chmod 600"));
	chmod(path, 0400);
	assert_int_equal(bus_key_load(path, b, &err), BUS_OK);
	unlink(path); /* tear down then finds the folder empty: no draft was left */
}

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void refuses_a_key_file_of_another_shape(void **state)
{
	static const char good[] = "000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f\n";
	uint8_t key[BUS_KEY_LEN];
	struct bus_error err;
	char path[128];
	char bad[80];

	(void)state;
	snprintf(path, sizeof(path), "%s/key", folder);
	put_file(path, good);
	assert_int_equal(bus_key_load(path, key, &err), BUS_OK);
	for (size_t i = 0; i < BUS_KEY_LEN; i++)
		assert_int_equal(key[i], i);
	put_file(path, "");
	assert_int_equal(bus_key_load(path, key, &err), BUS_EINVAL);
	snprintf(bad, sizeof(bad), "%.64s", good);
	put_file(path, bad);
	assert_int_equal(bus_key_load(path, key, &err), BUS_EINVAL);
	snprintf(bad, sizeof(bad), "%s\n", good);
	put_file(path, bad);
	assert_int_equal(bus_key_load(path, key, &err), BUS_EINVAL);
	snprintf(bad, sizeof(bad), "%s", good);
	bad[63] = 'g';
	put_file(path, bad);
	assert_int_equal(bus_key_load(path, key, &err), BUS_EINVAL);
	assert_null(strstr(err.text, "0001"));
	unlink(path);
	assert_int_equal(bus_key_load(folder, key, &err), BUS_EINVAL);
}

/* Section 7.1, tests 1 and 2. */
static void signs_as_rfc_8032_says(void **state)
{
	static const struct {
		const char *key, *public, *text, *signature;
	} known[] = {
		{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
		  "6bd25bf5f0595bbe24655141438e7a100b" },
		{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "\x72",
		  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d"
		  "8c387b2eaeb4302aeeb00d291612bb0c00" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(known); i++) {
		uint8_t key[BUS_ED25519_LEN], public[BUS_ED25519_LEN], signature[BUS_ED25519_SIGNATURE_LEN];

		from_hex(known[i].key, key);
		bus_ed25519_public(key, public);
		expect_hex(public, sizeof(public), known[i].public);
		bus_ed25519_sign(key, known[i].text, strlen(known[i].text), signature);
		expect_hex(signature, sizeof(signature), known[i].signature);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_as_rfc_8032_says),
		cmocka_unit_test(hashes_as_fips_180_4_says),
		cmocka_unit_test(hashes_a_stream_like_a_whole),
		cmocka_unit_test(authenticates_as_rfc_4231_says),
		cmocka_unit_test(makes_a_pseudonym_of_the_first_half_of_the_hmac),
		cmocka_unit_test(tells_the_same_digits_of_two_domains_apart),
		cmocka_unit_test(opens_what_the_gcm_specification_sealed),
		cmocka_unit_test(opens_only_what_was_sealed),
		cmocka_unit_test(compares_secrets),
		cmocka_unit_test_setup_teardown(makes_a_key_file_once_and_reads_it, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(refuses_a_key_file_of_another_shape, make_folder,
						remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
