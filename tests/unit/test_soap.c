#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "adapters/fetch/soap.h"

#define SOAP11 "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>"
#define SOAP12 "<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'><Header/><Body>"

static void fault_is(const char *answer, const char *fault)
{
	char got[ADAPTER_FAULT_MAX];

	assert_int_equal(adapter_soap_fault(bus_str(answer), got, NULL), BUS_OK);
	assert_string_equal(got, fault);
}

static void a_fault_of_either_version_is_told_and_long_numbers_are_not(void **state)
{
	(void)state;
	fault_is(SOAP11 "<e:Fault><faultcode>e:Server</faultcode><faultstring>\n NIK 1471080101900001\n "
			"tidak ada </faultstring>"
			"<detail><sql>SELECT rahasia</sql></detail></e:Fault></e:Body></e:Envelope>",
		 "e:Server: NIK ################  tidak ada");
	fault_is(SOAP12
		 "<Fault><Code><Value>Sender</Value><Subcode><Value>x:Lain</Value></Subcode></Code>"
		 "<Reason><Text>Salah 12345</Text></Reason><Detail>1</Detail></Fault></Body></Envelope>",
		 "Sender: Salah 12345");
}

static void what_only_looks_like_one_is_none(void **state)
{
	(void)state;
	fault_is(SOAP11 "<Fault><faultcode>x</faultcode></Fault></e:Body></e:Envelope>", "");
	fault_is(SOAP11 "<r><e:Fault><faultcode>x</faultcode></e:Fault></r></e:Body></e:Envelope>", "");
	fault_is("<a><Body/></a>", "");
}

static void what_is_no_xml_or_declares_entities_is_refused(void **state)
{
	static const char *const bad[] = { "", "Internal Server Error", "<a>",
					   "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>" };
	char got[ADAPTER_FAULT_MAX];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		assert_int_equal(adapter_soap_fault(bus_str(bad[i]), got, NULL), BUS_EDATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_of_either_version_is_told_and_long_numbers_are_not),
		cmocka_unit_test(what_only_looks_like_one_is_none),
		cmocka_unit_test(what_is_no_xml_or_declares_entities_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
