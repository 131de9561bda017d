package dev.caravan.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caravan.access.Role;
import dev.caravan.testing.Browser;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.support.ui.Select;
import org.openqa.selenium.support.ui.WebDriverWait;

/** The page of the back office, in a browser. */
class AppPageTest {

  private static final TestDatabase DATABASE = TestDatabase.create();
  private static final Sql SQL = new Sql(DATABASE.url(), null, null);

  /** What must stand on the page as a text and do nothing. */
  private static final List<String> XSS =
      List.of(
          "<script>window.hacked=1</script>",
          "<img src=x onerror=window.hacked=1>",
          "<svg/onload=window.hacked=1>",
          "\"><iframe src=javascript:window.hacked=1>",
          "'-window.hacked=1-'",
          "${window.hacked=1}",
          "{{constructor.constructor('window.hacked=1')()}}",
          "</td></table><script>window.hacked=1</script>",
          "<a href='javascript:window.hacked=1'>x</a>",
          "&lt;script&gt;window.hacked=1&lt;/script&gt;",
          "\u202e<script>");

  @TempDir static Path folder;
  private static TestCaravan caravan;
  private static ChromeDriver browser;

  @BeforeAll
  static void startCaravan() throws Exception {
    assumeTrue(Browser.isThere(), "there is no browser");
    Path uploads = Files.createDirectory(folder.resolve("uploads"));
    Files.writeString(
        uploads.resolve("heads.csv"),
        "sciper,centre_financier,function,fte\n1,F1,Professor,1\n2,F1,Doctor,half\n");
    caravan =
        TestCaravan.start(
            DATABASE, folder, Map.of("caravan.providers.csv.folder", uploads.toString()));
    SQL.execute("INSERT INTO module_types VALUES (1, 'travel'), (2, 'headcount')");
    SQL.execute("INSERT INTO inventories VALUES (7, '<b>EPFL</b>', 2025)");
    SQL.execute(
        "INSERT INTO modules (id, inventory_id, module_type_id) VALUES (1, 7, 1), (2, 7, 2)");
    SQL.execute("INSERT INTO factor_types VALUES (5, 2, 'meals')");
    for (String text : XSS) {
      SQL.execute(
          "INSERT INTO caravan.job (id, kind, project, state, code, message, started_at, completed_at) VALUES ('%s', $x$%s$x$, $x$%s$x$, 'failed', 'ENCODING', $x$%s$x$, now(), now())"
              .formatted(UUID.randomUUID(), text, text, text));
    }
    browser = Browser.start(folder, 1200, 1600);
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.quit();
    }
    if (caravan != null) {
      caravan.close();
    }
  }

  @BeforeEach
  void open() {
    browser.manage().logs().get(LogType.BROWSER);
    browser.get(caravan.anybody().base() + "/app");
  }

  private static WebElement find(String css) {
    return browser.findElement(By.cssSelector(css));
  }

  private static void await(java.util.function.BooleanSupplier condition) {
    new WebDriverWait(browser, Duration.ofSeconds(30))
        .ignoring(org.openqa.selenium.StaleElementReferenceException.class)
        .until(driver -> condition.getAsBoolean());
  }

  private static void awaitText(String css, String text) {
    new WebDriverWait(browser, Duration.ofSeconds(30))
        .withMessage(() -> css + " shows: " + find(css).getText())
        .ignoring(org.openqa.selenium.StaleElementReferenceException.class)
        .until(driver -> find(css).getText().contains(text));
  }

  private static void login(Role role) {
    find("#key").sendKeys(caravan.key("default", role));
    find("#login button").click();
    await(() -> find("#work").isDisplayed());
    awaitText("#module", "headcount");
  }

  private static void choose(String css, String text) {
    new Select(find(css)).selectByVisibleText(text);
  }

  /** Starts a sync of a file and waits until it ends. */
  private static void sync(String file, String end) {
    choose("#module", "<b>EPFL</b> · headcount");
    await(() -> find("#provider").getText().contains("csv_upload"));
    choose("#provider", "csv_upload");
    find("#file").clear();
    find("#file").sendKeys(file);
    find("#start").click();
    awaitText("#sync-state", end);
  }

  private static Object script(String text) {
    return browser.executeScript("return " + text);
  }

  /** Nothing that the policy of the page, or a defect of it, has stopped. */
  private static void assertNoComplaints() {
    assertThat(browser.manage().logs().get(LogType.BROWSER).getAll())
        .extracting(LogEntry::getMessage)
        .filteredOn(message -> !message.contains("the server responded with a status of"))
        .isEmpty();
  }

  @Test
  void uploadsAFileOfThisComputerAndSyncsIt() throws Exception {
    Path file = folder.resolve("of this computer.csv");
    Files.writeString(file, "sciper,centre_financier,function,fte\n77,F7,Dean,1\n");
    login(Role.OPERATOR);
    choose("#module", "<b>EPFL</b> · headcount");
    await(() -> find("#provider").getText().contains("csv_upload"));
    choose("#provider", "csv_upload");
    find("#upload").sendKeys(file.toString());
    find("#start").click();
    awaitText("#sync-state", "completed (200) – 1 inserted");
    assertNoComplaints();
  }

  @Test
  void startsASyncShowsItsBarItsHistoryItsFilesAndWhatWasRefused() {
    login(Role.OPERATOR);
    sync("heads.csv", "completed (200)");
    assertThat(find("#sync-state").getText()).contains("1 inserted", "1 rejected");
    assertThat(find("#bar").getDomProperty("value")).isEqualTo("100");
    awaitText("#history tbody", "csv_upload");
    awaitText("#jobs tbody", "module-sync");
    find("#history tbody button").click();
    awaitText("#files tbody", "headcount_entries");
    find("#files tbody button").click();
    awaitText("#rejects tbody", "BAD_VALUE");
    assertThat(find("#rejects tbody").getText()).contains("fte", "half");
    assertThat(find("#rejects thead").getText())
        .contains("sciper, centre_financier, function, fte");
    await(
        () ->
            script("Number(document.getElementById('chart').dataset.completed) > 0").equals(true));
    assertThat(find("#chart canvas").getSize().getHeight()).isPositive();
    assertNoComplaints();
  }

  @Test
  void aSyncThatFailedIsDoneAgain() throws Exception {
    Path file = folder.resolve("uploads/later.csv");
    Files.writeString(file, "sciper,centre_financier,function,fte\n5,F1\n");
    login(Role.OPERATOR);
    sync("later.csv", "failed (500)");
    assertThat(find("#sync-state").getText()).contains("COLUMN_COUNT");
    Files.writeString(file, "sciper,centre_financier,function,fte\n5,F1,Dean,1\n");
    await(() -> find("#history tbody tr").getText().contains("failed"));
    find("#history tbody tr td:last-child button").click();
    awaitText("#log", "ROWS_REJECTED");
    awaitText("#job-state", "module-sync");
    awaitText("#files tbody", "failed");
    find("#files tbody button").click();
    awaitText("#rejects tbody", "none is kept");
    find("#history tbody tr td:last-child button:last-child").click();
    awaitText("#sync-state", "completed (200)");
    assertNoComplaints();
  }

  @Test
  void saysWhatACallerMayNotDoOrWhatIsNotThere() {
    login(Role.VIEWER);
    choose("#module", "<b>EPFL</b> · headcount");
    await(() -> find("#provider").getText().contains("csv_upload"));
    choose("#provider", "csv_upload");
    find("#file").sendKeys("heads.csv");
    find("#start").click();
    awaitText("#problem", "role operator");
    find("#logout").click();
    login(Role.OPERATOR);
    choose("#module", "<b>EPFL</b> · headcount");
    await(() -> find("#provider").getText().contains("csv_upload"));
    choose("#provider", "csv_upload");
    find("#file").clear();
    find("#file").sendKeys("../heads.csv");
    find("#start").click();
    awaitText("#problem", "allowed is the name of a file");
  }

  @Test
  void textsOfOthersStayTexts() {
    login(Role.VIEWER);
    awaitText("#jobs tbody", "onerror");
    String shown = find("#jobs tbody").getDomProperty("textContent");
    assertThat(XSS).allSatisfy(text -> assertThat(shown).contains(text));
    for (WebElement row : browser.findElements(By.cssSelector("#jobs tbody tr"))) {
      if (row.getText().contains("window.hacked")) {
        String id = row.getDomAttribute("data-job");
        browser.executeScript("arguments[0].click()", row);
        awaitText("#job-id", id);
        awaitText("#job-state", "ENCODING");
      }
    }
    assertThat(script("window.hacked === undefined")).isEqualTo(true);
    assertThat(
            browser.findElements(
                By.cssSelector("main img, main iframe, main a, main script, main b")))
        .isEmpty();
    assertThat(find("#module").getText()).contains("<b>EPFL</b>");
    assertNoComplaints();
  }

  @Test
  void aKeyThatIsNoneIsRefusedAndOneThatIsIsKeptNowhere() {
    find("#key").sendKeys("cvn_nobody");
    find("#login button").click();
    awaitText("#problem", "credential is not valid");
    assertThat(find("#work").isDisplayed()).isFalse();
    login(Role.VIEWER);
    assertThat(script("localStorage.length + sessionStorage.length + document.cookie.length"))
        .isEqualTo(0L);
    assertThat(find("#key").getDomProperty("value")).isEmpty();
    browser.navigate().refresh();
    assertThat(find("#work").isDisplayed()).isFalse();
  }

  @Test
  void thePageIsOpenToAnyoneAndRunsNoScriptButItsOwn() {
    HttpResponse<String> page = caravan.anybody().get("/app");
    assertThat(page.statusCode()).isEqualTo(200);
    assertThat(page.headers().firstValue("Content-Security-Policy").orElse(""))
        .contains("default-src 'none'", "script-src 'self';", "frame-ancestors 'none'");
    assertThat(page.body()).doesNotContain("http:", "https:", "onclick", "<style");
    assertThat(caravan.anybody().with("Authorization", "Bearer x").get("/app").statusCode())
        .isEqualTo(200);
    assertThat(caravan.anybody().get("/app/../docs").statusCode()).isIn(401, 404);
    assertThat(caravan.anybody().send("POST", "/app").statusCode()).isEqualTo(405);
    browser.executeScript(
        "const s = document.createElement('script'); s.textContent = 'window.inline = 1'; document.body.append(s)");
    assertThat(script("window.inline === undefined")).isEqualTo(true);
  }
}
