package dev.caravan.copyupsert;

import java.util.Map;
import org.apache.camel.Endpoint;
import org.apache.camel.spi.annotations.Component;
import org.apache.camel.support.DefaultComponent;

/** Makes {@code copy-upsert:} endpoints. */
@Component("copy-upsert")
public class CopyUpsertComponent extends DefaultComponent {

  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters)
      throws Exception {
    CopyUpsertEndpoint endpoint = new CopyUpsertEndpoint(uri, this);
    endpoint.setTable(remaining);
    setProperties(endpoint, parameters);
    return endpoint;
  }
}
