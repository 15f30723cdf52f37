// The page of a script that shows something where no fleet's page is up.

import { Panels } from "./panels.js";

new Panels(document.getElementById("panels"));
