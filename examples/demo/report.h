// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "replay.h"

namespace demo {

// Prints a pass: what was asked, what came, how fast, and what each node had to do with it. Gives
// whether all is as it must be: no error, every answer right, and `expected_loads` origin loads.
bool report(const std::string& title, const Pass& pass, const std::vector<std::string>& addresses,
            const std::vector<NodeStats>& before, const std::vector<NodeStats>& after, size_t expected_loads);

}  // namespace demo
