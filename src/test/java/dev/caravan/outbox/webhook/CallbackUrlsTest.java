package dev.caravan.outbox.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CallbackUrlsTest {

  private static final String PUBLIC = "93.184.216.34";

  /** Names of the test; anything else is left to this machine, which has no need of a network. */
  private static InetAddress[] lookUp(String host) throws UnknownHostException {
    return switch (host) {
      case "example.com" -> InetAddress.getAllByName(PUBLIC);
      case "six.example.com" -> InetAddress.getAllByName("2606:4700::1111");
      case "localtest.me" -> InetAddress.getAllByName("127.0.0.1");
      case "mapped.example.com" ->
          new InetAddress[] {
            InetAddress.getByAddress(
                new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 127, 0, 0, 1})
          };
      case "mixed.example.com" ->
          new InetAddress[] {InetAddress.getByName(PUBLIC), InetAddress.getByName("10.0.0.1")};
      case "inside.example.com" -> InetAddress.getAllByName("10.1.2.3");
      case "gone.example.com" -> throw new UnknownHostException(host);
      default -> InetAddress.getAllByName(host);
    };
  }

  private static CallbackUrls urls(String... allow) {
    return new CallbackUrls(List.of(allow), Set.of(8443), CallbackUrlsTest::lookUp);
  }

  private static void refused(ThrowingCallable check) {
    assertThatThrownBy(check)
        .isInstanceOfSatisfying(
            CaravanException.class,
            e -> assertThat(e.code()).isEqualTo(FailureCode.CALLBACK_REFUSED))
        .hasMessageContaining("allowed are http and https to public addresses on ports [80, 443");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://127.0.0.1",
        "http://127.1/",
        "http://0x7f.1",
        "http://0x7f000001/",
        "http://2130706433",
        "http://017700000001",
        "http://0177.0.0.1",
        "http://0/",
        "http://0.0.0.0",
        "http://[::]",
        "http://[::1]",
        "http://[::ffff:127.0.0.1]",
        "http://[::ffff:7f00:1]",
        "http://[::127.0.0.1]",
        "http://[64:ff9b::7f00:1]",
        "http://[2002:7f00:1::]",
        "http://localhost",
        "http://LOCALHOST.",
        "http://localtest.me/",
        "http://mapped.example.com",
        "http://mixed.example.com",
        "http://gone.example.com",
        "http://10.0.0.1",
        "http://172.31.255.255",
        "http://192.168.0.1",
        "http://100.64.0.1",
        "http://100.100.100.200",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://168.63.129.16",
        "http://192.0.0.192",
        "http://198.18.0.1",
        "http://224.0.0.1",
        "http://240.0.0.1",
        "http://255.255.255.255",
        "http://[fe80::1]",
        "http://[fc00::1]",
        "http://[ff02::1]",
        "http://good@example.com",
        "http://example.com:80@127.0.0.1/",
        "http://@example.com",
        "http://example.com:22",
        "http://example.com:0",
        "http://example.com:65536",
        "http://example.com:5432",
        "gopher://example.com",
        "file:///etc/passwd",
        "ftp://example.com",
        "jar:http://example.com!/",
        "javascript:alert(1)",
        "//example.com",
        "example.com",
        "http:example.com",
        "http://",
        "http:///x",
        "http://exa mple.com",
        "http://example.com\\@127.0.0.1/",
        "http://example.com\r\nhost: x/",
        "http://ex\u0430mple.com",
        "http://[::1%25lo]/",
        "http://[v1.x]/",
        ""
      })
  void refusesWhatIsNotOutThere(String url) {
    refused(() -> urls().check(url));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://example.com",
        "HTTPS://EXAMPLE.com./hook?token=x#y",
        "https://example.com:8443/a",
        "http://example.com:443",
        "http://93.184.216.34/",
        "http://six.example.com",
        "https://[2606:4700::1111]/"
      })
  void takesWhatIs(String url) {
    assertThatCode(() -> urls().check(url)).doesNotThrowAnyException();
  }

  @Test
  void refusesAnUrlWithoutEnd() {
    refused(() -> urls().check("http://example.com/" + "a".repeat(2_000)));
  }

  @Test
  void doesNotShowWhatMayGiveAccess() {
    assertThatThrownBy(() -> urls().check("http://inside.example.com/s3cret?t=s3cret"))
        .message()
        .contains("host 'inside.example.com'")
        .doesNotContain("s3cret", "10.1.2.3");
  }

  @Test
  void makesTheExceptionsOfTheOperatorAndNoOthers() {
    CallbackUrls urls =
        urls("n8n:5678", "Localhost", "[::1]:9000", "10.1.0.0/16", "127.0.0.1:9000");
    for (String trusted :
        List.of(
            "http://n8n:5678/x",
            "http://localhost/",
            "https://LOCALHOST:8443",
            "http://[::1]:9000",
            "http://inside.example.com",
            "http://10.1.255.1",
            "http://127.0.0.1:9000")) {
      assertThatCode(() -> urls.check(trusted)).as(trusted).doesNotThrowAnyException();
    }
    for (String other :
        List.of(
            "http://n8n:5679",
            "http://localhost:5678",
            "http://[::1]",
            "http://10.1.0.1:5678",
            "http://10.2.0.1",
            "http://127.0.0.1",
            "http://127.0.0.2:9000",
            "ftp://localhost")) {
      assertThatThrownBy(() -> urls.check(other)).as(other).isInstanceOf(CaravanException.class);
    }
  }

  @Test
  void asksTheSameOfEachConnection() throws Exception {
    assertThat(urls().addresses("example.com", 443))
        .containsExactly(new InetSocketAddress(InetAddress.getByName(PUBLIC), 443));
    refused(() -> urls().addresses("example.com", 5432));
    refused(() -> urls().addresses("localtest.me", 80));
    refused(() -> urls().addresses("::1", 80));
    assertThat(urls("localtest.me").addresses("localtest.me", 80)).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"http://n8n", "10.0.0.0/33", "name/8", "10.0.0.0/x", "a b", "host:port"})
  void refusesExceptionsThatAreNone(String exception) {
    assertThatThrownBy(() -> urls(exception))
        .isInstanceOf(CaravanException.class)
        .hasMessageContaining("'" + exception + "'");
  }
}
